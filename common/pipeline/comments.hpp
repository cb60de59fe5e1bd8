#pragma once

#include "common/pipeline/convert.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Comments of YAML files, which no parser keeps.
namespace cicd::pipeline {

struct Comment {
    int line = 0;  ///< of what it is about: what it stands above, or behind; 0: the whole file
    std::vector<std::string> text;  ///< its lines, each with its '#'
};
std::vector<Comment> comments_of(std::string_view yaml);

/// The YAML of a converted pipeline with what its report says and the comments of the originals, each at its place.
std::string with_comments(const std::string& yaml, const Converted& converted, const std::string& file, const Originals& originals);

}  // namespace cicd::pipeline
