#include "daemon/runner/step_files.hpp"

#include "common/base/text.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace cicd::runner {
namespace {

struct Kind {
    const char* suffix;
    std::array<const char*, 2> variables;
};
constexpr std::array kinds{
    Kind{"-env", {"CICD_ENV", "GITHUB_ENV"}},
    Kind{"-output", {"CICD_OUTPUT", "GITHUB_OUTPUT"}},
    Kind{"-path", {"CICD_PATH", "GITHUB_PATH"}},
    Kind{"-summary", {"CICD_SUMMARY", "GITHUB_STEP_SUMMARY"}},
    Kind{"-state", {"CICD_STATE", "GITHUB_STATE"}},
};
constexpr std::size_t without_state = kinds.size() - 1;

Result<std::string> contents(const os::Fd& file, const char* variable) {
    if (!file) return std::string();
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return invalid("JOB_002", std::string("the file $") + variable + " is no regular file any more");
    // What a background process adds from now on belongs to nobody.
    const auto known = static_cast<std::size_t>(facts.st_size);
    if (known > largest_step_file) return invalid("JOB_002", std::string("the file $") + variable + " is larger than 1 MiB");
    std::string text(known, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t n = ::pread(file.get(), text.data() + size, text.size() - size, static_cast<off_t>(size));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return invalid("JOB_002", std::string("the file $") + variable + " cannot be read: " + std::strerror(errno));
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    text.resize(size);
    return text;
}

/// The line from `at` on, without its end; moves `at` behind it.
std::string_view next_line(std::string_view text, std::size_t& at) {
    const auto end = text.find('\n', at);
    auto line = text.substr(at, end == std::string_view::npos ? end : end - at);
    at = end == std::string_view::npos ? text.size() : end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

Result<model::Texts> parse_assignments(std::string_view text, const Shown& shown) {
    const auto quoted = [&](std::string_view line) { return to_valid_utf8((shown ? shown(line) : std::string(line)).substr(0, 80)); };
    model::Texts list;
    std::size_t at = 0;
    for (int number = 1; at < text.size(); ++number) {
        const auto line = next_line(text, at);
        if (line.empty()) continue;
        const auto equals = line.find('=');
        const auto block = line.find("<<");
        const auto where = [&, number = number] { return "line " + std::to_string(number) + " '" + quoted(line) + "'"; };
        if (equals == std::string_view::npos && block == std::string_view::npos)
            return invalid("JOB_002", where() + " is neither name=value nor name<<DELIMITER");
        if (equals == 0 || block == 0) return invalid("JOB_002", where() + " has no name");
        if (equals < block) {
            list.emplace_back(line.substr(0, equals), line.substr(equals + 1));
            continue;
        }
        const std::string name(line.substr(0, block));
        const auto delimiter = line.substr(block + 2);
        if (delimiter.empty()) return invalid("JOB_002", where() + " has no delimiter after <<");
        std::string value;
        bool closed = false, first = true;
        while (!closed && at < text.size()) {
            ++number;
            const auto part = next_line(text, at);
            closed = part == delimiter;
            if (closed) break;
            if (!first) value += '\n';
            value += part;
            first = false;
        }
        if (!closed) return invalid("JOB_002", where() + " is not closed: no line is '" + std::string(delimiter) + "'");
        list.emplace_back(name, std::move(value));
    }
    for (const auto& [name, value] : list)
        if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos)
            return invalid("JOB_002", "the value of '" + quoted(name) + "' holds a NUL byte");
    return list;
}

std::vector<std::string> parse_path_lines(std::string_view text) {
    std::vector<std::string> list;
    for (std::size_t at = 0; at < text.size();)
        if (const auto line = next_line(text, at); !line.empty() && line.find('\0') == std::string_view::npos)
            list.emplace_back(line);
    return list;
}

std::string StepFiles::path(std::string_view suffix) const {
    return folder_ + "/" + std::to_string(step_) + std::string(suffix);
}

model::Texts StepFiles::variables() const {
    model::Texts list;
    for (const auto& kind : std::span(kinds).first(with_state_ ? kinds.size() : without_state))
        for (const char* variable : kind.variables) list.emplace_back(variable, path(kind.suffix));
    return list;
}

void StepFiles::add_to(Program& program, std::string_view script_suffix, std::string script) const {
    program.files.push_back({.path = path(script_suffix), .text = std::move(script), .mode = script_mode_});
    add_to(program);
}

void StepFiles::add_to(Program& program) const {
    for (const auto& kind : std::span(kinds).first(with_state_ ? kinds.size() : without_state))
        program.files.push_back({.path = path(kind.suffix), .text = {}, .given_back = true});
}

Result<StepResults> read_results(const std::vector<os::Fd>& files, const Shown& shown) {
    std::array<std::string, kinds.size()> texts;
    for (std::size_t i = 0; i < std::min(kinds.size(), files.size()); ++i) {
        CICD_TRY(texts[i], contents(files[i], kinds[i].variables[0]));
    }
    StepResults results;
    auto env = parse_assignments(texts[0], shown);
    if (!env) return std::move(env.error()).within("$CICD_ENV");
    auto outputs = parse_assignments(texts[1], shown);
    if (!outputs) return std::move(outputs.error()).within("$CICD_OUTPUT");
    results.env = std::move(*env);
    results.outputs = std::move(*outputs);
    results.path = parse_path_lines(texts[2]);
    results.summary = std::move(texts[3]);
    auto state = parse_assignments(texts[4], shown);
    if (!state) return std::move(state.error()).within("$GITHUB_STATE");
    results.state = std::move(*state);
    return results;
}

}  // namespace cicd::runner
