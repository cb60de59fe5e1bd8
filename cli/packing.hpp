#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Files and folders as one stream, read while it is sent.
namespace cicd::cli {

class Packing {
public:
    /// One file as it is; "-" is stdin, whose length nobody knows.
    static Result<Packing> file(const std::filesystem::path& path);
    /// A tar archive of these and of all that is below them; links stay links. Names are as typed, or the last part of what
    /// leads out of this folder.
    static Result<Packing> archive(const std::vector<std::string>& paths);

    [[nodiscard]] std::optional<std::uint64_t> length() const { return length_; }
    /// The next bytes; none: the end. Fails where a file is no longer what it was.
    Result<std::string> next();

private:
    struct Part {
        std::string before;           ///< a header
        std::filesystem::path content;  ///< empty: none
        std::uint64_t size = 0;
    };
    Result<void> add(const std::filesystem::path& path, const std::string& name);
    Result<void> open(const Part& part);

    std::optional<std::uint64_t> length_;
    std::vector<Part> parts_;
    std::size_t part_ = 0;
    std::shared_ptr<int> file_;
    std::uint64_t left_ = 0, padding_ = 0;
    bool as_it_is_ = false;
};

}  // namespace cicd::cli
