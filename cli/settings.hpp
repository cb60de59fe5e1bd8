#pragma once

#include "common/base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The settings there are, and how a file of them is changed without losing its comments.
namespace cicd::cli {

struct KnownSetting {
    std::string_view name;      ///< nested names are joined with dots
    std::string_view fallback;  ///< what holds where nothing is set; empty: found out by the program
    std::string_view help;
    std::string_view choices = {};   ///< "a|b|c"
    const char* variable = nullptr;  ///< the CICD_* that sets it
    bool may_be_unset = false;       ///< nothing holds where nothing is set
};

std::span<const KnownSetting> known_settings();
/// Fails with a suggestion for a name that there is not.
Result<const KnownSetting*> find_setting(const std::string& name);

/// The YAML text with the setting changed, or without it for nullopt. Lines that do not concern it stay as they are,
/// unless it stands in something other than plain block style: then the text is written anew, and `kept_comments` is
/// false.
struct EditedSettings {
    std::string text;
    bool kept_comments = true;
};
Result<EditedSettings> edit_settings(const std::string& text, const std::string& name,
                                     const std::optional<std::string>& value);

}  // namespace cicd::cli
