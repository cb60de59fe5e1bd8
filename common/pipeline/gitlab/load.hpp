#pragma once

#include "common/pipeline/gitlab/decide.hpp"

#include <string>
#include <string_view>

namespace cicd::pipeline::gitlab {

/// The file with all that it includes, merged; null where it cannot be read.
const Node* load_all(const Setting& setting, std::string_view text, const std::string& file);

/// Where copies of files of other projects are looked for in the repository: PROJECT/FILE, HOST/PATH, templates/NAME.
constexpr const char* copies_folder = ".cicd/includes/";

/// "1 hour 30 minutes", "3h 30m", "90": seconds.
std::optional<Milliseconds> read_duration(std::string_view text);

}  // namespace cicd::pipeline::gitlab
