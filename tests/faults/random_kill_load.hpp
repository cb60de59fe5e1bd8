#pragma once

#include "tests/support/world.hpp"

#include <string>
#include <vector>

/// The mixed load under which things are killed, and what its jobs say about themselves.
namespace cicd::test {

struct LoadPipeline {
    std::string file;
    bool is_cancelled = false;   ///< runs until somebody cancels it
    bool ends_well = true;       ///< no job fails but by our hand
};

/// Chains, matrices, retries, jobs that never end by themselves, jobs that leave processes behind; in the sandbox and on
/// the host. `record` is a folder where host jobs write what they do; `stray` names the sleeps that they leave behind.
std::vector<std::pair<std::string, std::string>> load_files(const std::filesystem::path& record, const std::string& stray);
const std::vector<LoadPipeline>& load_pipelines();

/// What a log must look like: numbered lines whose text follows from job, attempt and number, then what the job did at
/// last: how many lines it wrote and with which code it ends. Another text, a gap, a repeat: `fault` says where.
struct LogVerdict {
    int lines = 0;
    bool is_complete = false;  ///< the last line is there
    int exit_code = 0;         ///< as the last line has it
    std::string fault;
};
LogVerdict judge_log(const std::string& log, const std::string& job, int attempt);

/// What a host job wrote into `record`, outside of everything that the engine keeps.
struct OwnRecord {
    bool exists = false;
    int lines = 0;
    bool is_complete = false;
    int exit_code = 0;
};
OwnRecord read_record(const std::filesystem::path& record, const std::string& job, int attempt);

}  // namespace cicd::test
