#include "daemon/upkeep/room.hpp"

#include "common/base/time.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace cicd::upkeep {
namespace {

/// A job needs some tens of them.
constexpr std::uint64_t files_to_keep = 1000;

}  // namespace

Result<Reserve> parse_reserve(const std::string& text) {
    if (text.ends_with('%')) {
        double percent = 0;
        const auto* end = text.data() + text.size() - 1;
        const auto [stop, error] = std::from_chars(text.data(), end, percent);
        if (error != std::errc() || stop != end || percent < 0 || percent > 100)
            return invalid("CICD_400", "'" + text + "' is no share of a disk", "write for example 2%");
        return Reserve{std::nullopt, percent};
    }
    CICD_TRY(const auto bytes, parse_size(text));
    return Reserve{bytes, std::nullopt};
}

Result<Room> room_at(const std::filesystem::path& path) {
    struct statvfs facts {};
    if (::statvfs(path.c_str(), &facts) != 0)
        return unavailable("CICD_503", "cannot look at the disk of " + path.string() + ": " + std::strerror(errno));
    return Room{facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize, facts.f_files, facts.f_favail};
}

std::uint64_t bytes_to_keep(const Room& room, const Reserve& reserve) {
    std::uint64_t keep = room.total;
    if (reserve.bytes) keep = std::min(keep, *reserve.bytes);
    if (reserve.percent)
        keep = std::min(keep, static_cast<std::uint64_t>(static_cast<double>(room.total) * *reserve.percent / 100));
    return reserve.bytes || reserve.percent ? keep : 0;
}

std::string Watermark::look() {
    const auto room = room_at(folder_);
    return room ? judge(*room) : room.error().message;
}

std::string Watermark::judge(const Room& room) {
    const auto keep = bytes_to_keep(room, reserve_);
    // Once short, a tenth more is wanted, so that work does not stop and go.
    const auto enough = short_ ? keep + std::min<std::uint64_t>(keep / 10, 64U << 20U) : keep;
    const auto files = std::min<std::uint64_t>(files_to_keep, room.total_files / 50);
    std::string reason;
    if (room.free < enough)
        reason = "only " + humanize_size(room.free) + " are free in " + folder_.string() + ", " + humanize_size(keep) +
                 " are to stay free (disk.reserve)" + (room.free < keep ? "" : ", and a tenth more before work goes on");
    else if (room.total_files > 0 && room.free_files < files)
        reason = "only " + std::to_string(room.free_files) + " more files fit into the file system of " + folder_.string();
    short_ = !reason.empty();
    if (short_) reason += "; make room, for example with 'cicdctl daemon cleanup': work goes on by itself then";
    return reason;
}

}  // namespace cicd::upkeep
