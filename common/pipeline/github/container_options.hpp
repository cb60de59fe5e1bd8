#pragma once

#include "common/pipeline/github/reader.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// `options:` of a container or a service: flags of `docker create`.
namespace cicd::pipeline::github {

/// The words of a command line, with their quotes taken off; a `${{ }}` is part of one word.
std::vector<std::string> words_of(std::string_view text);

/// One flag, with what it says.
struct Flag {
    std::string name, value;
};

/// What both a job's container and a service's understand.
struct ContainerFlags {
    model::ContainerOptions options;
    model::Texts env;
    std::string user, working_directory, entrypoint, health_command;
    std::optional<Milliseconds> health_interval, health_start;
    std::optional<int> health_retries;
    std::optional<int> gpus;
};

/// What cannot be carried is reported, each flag with its reason. `what`: "container" or "services".
void read_flags(Reader& r, const Cursor& at, std::string_view what, ContainerFlags& into);

}  // namespace cicd::pipeline::github
