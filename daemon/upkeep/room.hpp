#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

/// The watermark: new work is refused with a reason while there is still room for what runs to end well.
namespace cicd::upkeep {

/// What is to stay free: the smaller one of what is given.
struct Reserve {
    std::optional<std::uint64_t> bytes = std::uint64_t{1} << 30;
    std::optional<double> percent = 2;
    bool operator==(const Reserve&) const = default;
};
/// "1Gi" or "2%"; "0" for none.
Result<Reserve> parse_reserve(const std::string& text);

struct Room {
    std::uint64_t total = 0, free = 0;              ///< bytes that an ordinary user could write
    std::uint64_t total_files = 0, free_files = 0;  ///< 0 of 0: the file system does not count them
};
Result<Room> room_at(const std::filesystem::path& path);
std::uint64_t bytes_to_keep(const Room& room, const Reserve& reserve);

/// Looks at one folder again and again and tells when there is too little room, and when there is enough again.
class Watermark {
public:
    Watermark(std::filesystem::path folder, Reserve reserve) : folder_(std::move(folder)), reserve_(reserve) {}

    /// Why nothing new is to be taken; empty where there is room. After a shortage a little more than the reserve has to
    /// be free, so that it does not go back and forth.
    std::string look();
    std::string judge(const Room& room);

private:
    std::filesystem::path folder_;
    Reserve reserve_;
    bool short_ = false;
};

}  // namespace cicd::upkeep
