#pragma once

#include "common/pipeline/front.hpp"

#include <map>
#include <string>

/// From another language to ours.
namespace cicd::pipeline {

struct Converted {
    model::Pipeline pipeline;  ///< in our language
    std::string yaml;          ///< the same, with what could not be converted as comments at its place
    Report report;             ///< of reading and of converting
};

/// Texts of the files that were read, by the names that marks and findings have for them.
using Originals = std::map<std::string, std::string>;

/// Of a front without errors; comments of the originals come out at the places of what they are about.
Converted convert(const Front& front, const std::string& file, const Originals& originals = {});

}  // namespace cicd::pipeline
