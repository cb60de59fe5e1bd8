#pragma once

#include "common/pipeline/front.hpp"

#include <string>

/// From another language to ours.
namespace cicd::pipeline {

struct Converted {
    model::Pipeline pipeline;  ///< in our language
    std::string yaml;          ///< the same, with what could not be converted as comments at its place
    Report report;             ///< of reading and of converting
};

/// Of a front without errors.
Converted convert(const Front& front, const std::string& file);

}  // namespace cicd::pipeline
