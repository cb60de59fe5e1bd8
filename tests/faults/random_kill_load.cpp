#include "tests/faults/random_kill_load.hpp"

#include <cstdlib>
#include <sstream>

namespace cicd::test {
namespace {

constexpr const char* work = R"bash(# work.sh LINES CODE [RECORD]: says what it does, and records it where it may.
lines=$1 code=$2 record=${3:+$3/$CICD_JOB_ID.$CICD_ATTEMPT}
note() { [ -z "$record" ] || echo "$1" >>"$record"; }
for ((i = 0; i < lines; i++)); do
    note "$i"
    printf '%s %s %d %*s.\n' "$CICD_JOB_ID" "$CICD_ATTEMPT" "$i" "$((i * 37 % 200))" ''
    sleep 0.002
done
note "exit $code"
echo "end $lines $code"
exit "$code"
)bash";

constexpr const char* chain = R"yaml(name: chain
defaults: {retry: {max: 20, on: [lost]}}
stages:
  - {name: one, commands: ['bash work.sh 12 0', 'true']}
  - {name: two, commands: ['bash work.sh 3 0']}
  - {name: three, needs: [two], commands: ['bash work.sh 8 0']}
)yaml";

constexpr const char* matrix = R"yaml(name: matrix
defaults: {retry: {max: 20, on: [lost]}}
stages:
  - name: cells
    jobs:
      cell:
        executor: host
        matrix: {n: [1, 2, 3, 4, 5, 6]}
        steps: [{run: 'bash work.sh ${{ matrix.n }}5 0 RECORD'}]
  - {name: sum, commands: ['bash work.sh 2 0']}
)yaml";

constexpr const char* retries = R"yaml(name: retries
stages:
  - name: flaky
    jobs:
      second:
        retry: {max: 20, on: [lost, exit], backoff: 5ms}
        steps: [{run: 'bash work.sh 10 $((CICD_ATTEMPT < 2 ? 7 : 0))'}]
      never:
        retry: 0
        steps: [{run: 'bash work.sh 10 3'}]
  - {name: after, condition: always, retry: {max: 20, on: [lost]}, commands: ['bash work.sh 3 0']}
)yaml";

constexpr const char* endless = R"yaml(name: endless
defaults: {retry: {max: 20, on: [lost]}}
stages:
  - name: work
    jobs:
      sandboxed: {steps: [{run: 'setsid nohup sleep STRAY >/dev/null 2>&1 & bash work.sh 1000000 0'}]}
      host: {executor: host, steps: [{run: 'setsid nohup sleep STRAY >/dev/null 2>&1 & bash work.sh 1000000 0 RECORD'}]}
  - {name: after, condition: always, commands: ['bash work.sh 3 0']}
)yaml";

constexpr const char* strays = R"yaml(name: strays
defaults: {retry: {max: 20, on: [lost]}}
stages:
  - name: leave
    jobs:
      sandboxed: {steps: [{run: 'setsid nohup sleep STRAY >/dev/null 2>&1 & bash work.sh 9 0'}]}
      host: {executor: host, steps: [{run: 'setsid nohup sleep STRAY >/dev/null 2>&1 & bash work.sh 9 0 RECORD'}]}
)yaml";

std::string with(std::string text, const std::string& name, const std::string& value) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
        text.replace(at, name.size(), value);
    return text;
}

std::string line_of(const std::string& job, int attempt, int number) {
    return job + ' ' + std::to_string(attempt) + ' ' + std::to_string(number) + ' ' +
           std::string(static_cast<std::size_t>(number * 37 % 200), ' ') + '.';
}

}  // namespace

std::vector<std::pair<std::string, std::string>> load_files(const std::filesystem::path& record,
                                                            const std::string& stray) {
    std::vector<std::pair<std::string, std::string>> files{{"work.sh", work}};
    for (const auto& [name, text] : {std::pair{"chain.yaml", chain}, {"matrix.yaml", matrix}, {"retries.yaml", retries},
                                     {"endless.yaml", endless}, {"strays.yaml", strays}})
        files.emplace_back(name, with(with(text, "RECORD", record.string()), "STRAY", stray));
    return files;
}

const std::vector<LoadPipeline>& load_pipelines() {
    static const std::vector<LoadPipeline> all{{"chain.yaml"},
                                               {"matrix.yaml"},
                                               {"retries.yaml", false, false},
                                               {"endless.yaml", true},
                                               {"strays.yaml"}};
    return all;
}

LogVerdict judge_log(const std::string& log, const std::string& job, int attempt) {
    LogVerdict verdict;
    std::istringstream stream(log);
    for (std::string line; std::getline(stream, line);) {
        const auto at = "line " + std::to_string(verdict.lines + 1) + " of " + job + " attempt " + std::to_string(attempt);
        if (verdict.is_complete) {
            verdict.fault = at + " comes after the end: " + line;
            return verdict;
        }
        int written = 0;
        if (std::sscanf(line.c_str(), "end %d %d", &written, &verdict.exit_code) == 2) {
            verdict.is_complete = true;
            if (written != verdict.lines) verdict.fault = at + " says that " + std::to_string(written) + " were written";
        } else if (line != line_of(job, attempt, verdict.lines)) {
            // A job that dies in the middle may leave half a line, as the last thing.
            const auto expected = line_of(job, attempt, verdict.lines);
            const bool is_half = stream.peek() == std::char_traits<char>::eof() && !log.ends_with('\n') &&
                                 expected.starts_with(line);
            if (!is_half) verdict.fault = at + " is: " + line;
            return verdict;
        } else {
            ++verdict.lines;
        }
    }
    return verdict;
}

OwnRecord read_record(const std::filesystem::path& record, const std::string& job, int attempt) {
    OwnRecord own;
    const auto file = record / (job + "." + std::to_string(attempt));
    own.exists = std::filesystem::exists(file);
    std::istringstream stream(read_file(file));
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("exit ")) {
            own.is_complete = true;
            own.exit_code = std::atoi(line.c_str() + 5);
        } else {
            ++own.lines;
        }
    }
    return own;
}

}  // namespace cicd::test
