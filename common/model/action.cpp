#include "common/model/action.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>

namespace cicd::model {
namespace {

constexpr std::array<std::string_view, 11> native_actions{
    "actions/checkout",   "actions/cache",      "actions/upload-artifact", "actions/download-artifact",
    "actions/setup-node", "actions/setup-python", "actions/setup-go",      "actions/setup-java",
    "actions/upload-artifact/merge", "actions/cache/restore", "actions/github-script"};

}  // namespace

ActionName find_action(std::string_view uses) {
    ActionName found;
    if (uses.starts_with("./") || uses == ".") {
        found.kind = ActionKind::local;
        found.path = std::string(uses);
        return found;
    }
    if (uses.starts_with("docker://")) {
        found.kind = ActionKind::container;
        found.name = std::string(uses);
        return found;
    }
    const auto at = uses.rfind('@');
    const auto whole = uses.substr(0, at);
    if (at != uses.npos) found.ref = std::string(uses.substr(at + 1));
    const auto slash = whole.find('/');
    const auto second = slash == whole.npos ? whole.npos : whole.find('/', slash + 1);
    found.name = std::string(whole.substr(0, second));
    if (second != whole.npos) found.path = std::string(whole.substr(second + 1));
    const auto lower = to_lower(whole);
    if (std::find(native_actions.begin(), native_actions.end(), lower) != native_actions.end() ||
        lower == "actions/cache/save") {
        found.kind = ActionKind::native;
        found.name = lower;
        found.path.clear();
    }
    return found;
}

std::string folder_of_ref(std::string_view ref) {
    std::string folder;
    for (const char c : ref) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        folder += plain ? c : '_';
    }
    return folder;
}

}  // namespace cicd::model
