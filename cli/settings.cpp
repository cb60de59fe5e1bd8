#include "cli/settings.hpp"

#include "cli/command.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"

#include <array>
#include <vector>

namespace cicd::cli {
namespace {

// Not CICD_OUTPUT: in a job that names the step's file of outputs, and cicdctl is run in jobs too.
constexpr std::array settings = std::to_array<KnownSetting>({
    {"output", "table", "output format", "table|wide|json|yaml|name", "CICD_OUTPUT_FORMAT"},
    {"color", "auto", "colours on a terminal", "auto|always|never", "CICD_COLOR"},
    {"socket", "", "the daemon's socket", {}, "CICD_SOCKET"},
    {"stateDirectory", "", "where the daemon keeps its state", {}, "CICD_STATE_DIR"},
    {"noAutostart", "false", "do not start the daemon where none runs", "true|false", "CICD_NO_AUTOSTART"},
    {"noInput", "false", "never ask", "true|false", "CICD_NO_INPUT"},
    {"logLevel", "info", "how much the daemon logs", "trace|debug|info|warn|error"},
    {"executors.host", "false", "jobs may ask to run without isolation", "true|false"},
    {"engine", "auto", "which container engine jobs of the executor container get: auto, podman, docker, none, unix:///PATH"},
    {"actions.server", "https://github.com", "below which owner/name of actions are fetched, or none"},
    {"capacity.slots", "", "jobs at a time"},
    {"capacity.cpu", "", "cores that jobs may take together"},
    {"capacity.memory", "", "memory that jobs may take together, such as 8Gi"},
    {"capacity.gpu", "", "graphics processors that jobs may take together"},
    {"disk.reserve", "", "what is to stay free of the disk, such as 1Gi or 2%"},
    {"retention.age", "90d", "how long ended runs are kept"},
    {"retention.runs", "", "so many of the newest runs stay, whatever their age", {}, nullptr, true},
    {"retention.logs", "", "how long logs are kept, where less than their runs", {}, nullptr, true},
    {"retention.size", "", "of all logs together", {}, nullptr, true},
    {"retention.workspaces", "1d", "how long workspaces that were left behind are kept"},
    {"retention.trees", "10Gi", "of checkouts that are kept for the next job that wants the same files"},
    {"retention.caches", "10Gi", "of all that jobs cached: what was unused for the longest goes first"},
    {"retention.mirrors", "90d", "how long copies of repositories are kept that nobody uses"},
    {"uploads.size", "16Gi", "the largest artifact that people may upload"},
    {"uploads.unpacked", "64Gi", "the most that an uploaded archive may unpack to"},
    {"objects.s3.endpoint", "", "artifacts are copied to this S3-compatible store: https://…", {}, nullptr, true},
    {"objects.s3.bucket", "", "the bucket they are copied to", {}, nullptr, true},
    {"objects.s3.region", "us-east-1", "the bucket's region"},
    {"objects.s3.prefix", "", "of all keys in the bucket; each daemon needs its own", {}, nullptr, true},
    {"objects.s3.accessKey", "", "the id of the access key, written out", {}, nullptr, true},
    {"objects.s3.accessKey.secret", "", "or the secret that holds it", {}, nullptr, true},
    {"objects.s3.accessKey.env", "", "or the variable of the daemon's environment", {}, nullptr, true},
    {"objects.s3.accessKey.file", "", "or the file", {}, nullptr, true},
    {"objects.s3.secretKey.secret", "", "the secret that holds the access key's secret", {}, nullptr, true},
    {"objects.s3.secretKey.env", "", "or the variable of the daemon's environment", {}, nullptr, true},
    {"objects.s3.secretKey.file", "", "or the file", {}, nullptr, true},
    {"objects.local", "", "so much of what has its copy stays on this disk, such as 50Gi", {}, nullptr, true},
});

// The value by its path; null where there is none.
const Value* at(const Value& root, const std::vector<std::string>& path) {
    const auto* here = &root;
    for (const auto& key : path) {
        if (!here->is_object()) return nullptr;
        here = here->as_object().find(key);
        if (!here) return nullptr;
    }
    return here;
}

Value with(const Value& root, const std::vector<std::string>& path, std::size_t depth,
           const std::optional<Value>& value) {
    Object object = root.is_object() ? root.as_object() : Object();
    const auto& key = path[depth];
    if (depth + 1 < path.size()) {
        const auto* inner = object.find(key);
        if (!value && !inner) return object;
        auto changed = with(inner ? *inner : Value(), path, depth + 1, value);
        if (changed.as_object().empty())
            object.erase(key);
        else
            object.set(key, std::move(changed));
    } else if (value) {
        object.set(key, *value);
    } else {
        object.erase(key);
    }
    return object;
}

std::size_t indent_of(std::string_view line) {
    const auto first = line.find_first_not_of(' ');
    return first == std::string_view::npos ? line.size() : first;
}

bool is_key(std::string_view line, std::size_t indent, std::string_view key) {
    if (indent_of(line) != indent || !line.substr(indent).starts_with(key)) return false;
    line.remove_prefix(indent + key.size());
    return line.starts_with(':') && (line.size() == 1 || line[1] == ' ');
}

bool is_content(std::string_view line) {
    const auto first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] != '#';
}

std::string comment_of(std::string_view line) {
    const auto hash = line.find(" #");
    return hash == std::string_view::npos ? std::string() : std::string(line.substr(hash));
}

// Changes lines of block style only; whether the outcome means what it should is checked by reading it.
std::string edit_lines(const std::string& text, const std::vector<std::string>& path,
                       const std::optional<std::string>& written) {
    auto lines = split(text, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    std::size_t begin = 0, end = lines.size(), indent = 0, depth = 0;
    for (; depth < path.size(); ++depth) {
        auto found = begin;
        while (found < end && !is_key(lines[found], indent, path[depth])) ++found;
        if (found == end) break;
        if (depth + 1 == path.size()) {
            const auto head = std::string(indent, ' ') + path[depth] + ": ";
            if (written)
                lines[found] = head + *written + comment_of(lines[found]);
            else
                lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(found));
            return join(lines, "\n") + "\n";
        }
        begin = found + 1;
        auto next = begin;
        std::size_t inner = 0;
        while (next < end && (!is_content(lines[next]) || indent_of(lines[next]) > indent)) {
            if (inner == 0 && is_content(lines[next])) inner = indent_of(lines[next]);
            ++next;
        }
        while (next > begin && !is_content(lines[next - 1])) --next;
        end = next;
        indent = inner > 0 ? inner : indent + 2;
    }
    if (!written) return text;
    std::vector<std::string> added;
    for (; depth < path.size(); ++depth) {
        added.push_back(std::string(indent, ' ') + path[depth] + ":" +
                        (depth + 1 == path.size() ? " " + *written : ""));
        indent += 2;
    }
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(end), added.begin(), added.end());
    return join(lines, "\n") + "\n";
}

}  // namespace

std::span<const KnownSetting> known_settings() {
    return settings;
}

Result<const KnownSetting*> find_setting(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& setting : settings) {
        if (setting.name == name) return &setting;
        names.emplace_back(setting.name);
    }
    auto hint = did_you_mean(name, names);
    return usage_error("there is no setting '" + name + "'", hint.empty() ? "'cicdctl config list' shows them" : hint);
}

Result<EditedSettings> edit_settings(const std::string& text, const std::string& name,
                                     const std::optional<std::string>& value) {
    const auto before = pipeline::parse_yaml(text, "config.yaml");
    if (!before.ok()) return pipeline::as_error(before.problems);
    const auto path = split(name, '.');
    std::optional<Value> wanted;
    if (value) {
        // "4" is a number and "true" a boolean, as they would be in the file.
        const auto parsed = pipeline::parse_yaml(*value, name);
        const bool scalar = parsed.ok() && (parsed.value.is_bool() || parsed.value.is_number());
        wanted = scalar ? parsed.value : Value(*value);
    }
    const auto target = with(before.value, path, 0, wanted);
    std::optional<std::string> written;
    if (wanted) written = std::string(trim(pipeline::to_yaml(*wanted)));
    auto edited = edit_lines(text, path, written);
    const auto after = pipeline::parse_yaml(edited, "config.yaml");
    const auto meant = after.ok() ? with(after.value, {std::string()}, 0, std::nullopt) : Value();
    if (after.ok() && (after.value == target || (meant == target))) return EditedSettings{std::move(edited), true};
    // An emptied section reads as null; that is as good as none.
    if (after.ok() && !value && !at(after.value, path)) return EditedSettings{std::move(edited), true};
    return EditedSettings{pipeline::to_yaml(target), false};
}

}  // namespace cicd::cli
