#include "daemon/images/user.hpp"

#include "common/base/text.hpp"
#include "daemon/os/inner_path.hpp"

#include <charconv>
#include <optional>
#include <vector>

namespace cicd::images {
namespace {

constexpr std::size_t largest_table = 1 << 20;
constexpr int largest_id = 65'535'000;

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value < 0 || value > largest_id) return std::nullopt;
    return value;
}

/// The line of /etc/passwd or /etc/group that has the name, or the id.
std::optional<std::vector<std::string>> line_of(const std::string& table, const std::string& wanted, std::size_t least) {
    const auto id = number(wanted);
    for (const auto& line : split(table, '\n')) {
        auto fields = split(line, ':');
        if (fields.size() < least) continue;
        if (fields[0] == wanted || (id && number(fields[2]) == id)) return fields;
    }
    return std::nullopt;
}

Error unknown(const char* what, const std::string& name) {
    return invalid("IMAGE_003", std::string("the image has no ") + what + " '" + to_valid_utf8(name.substr(0, 100)) + "'",
                   "give its number: image: {name: …, user: \"1000\"}");
}

}  // namespace

Result<void> find_user(int rootfs, const std::string& wanted, model::RootImage& root) {
    const auto colon = wanted.find(':');
    const auto user = wanted.empty() || colon == 0 ? std::string("0") : wanted.substr(0, colon);
    const auto group = colon == std::string::npos ? std::string() : wanted.substr(colon + 1);
    const auto known = line_of(os::read_in_root(rootfs, "etc/passwd", largest_table), user, 6);
    const auto id = known ? number((*known)[2]) : number(user);
    if (!id) return unknown("user", user);
    root.user = *id;
    root.user_name = known ? (*known)[0] : *id == 0 ? "root" : "";
    root.home = known && (*known)[5].starts_with('/') ? (*known)[5] : *id == 0 ? "/root" : "/";
    root.group = known ? number((*known)[3]).value_or(0) : 0;
    if (group.empty()) return {};
    const auto found = line_of(os::read_in_root(rootfs, "etc/group", largest_table), group, 3);
    const auto group_id = found ? number((*found)[2]) : number(group);
    if (!group_id) return unknown("group", group);
    root.group = *group_id;
    return {};
}

}  // namespace cicd::images
