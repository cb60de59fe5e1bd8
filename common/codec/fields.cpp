#include "common/codec/fields.hpp"

#include <algorithm>

namespace cicd::codec {

std::string Path::text() const {
    if (!parent) return {};
    const std::string before = parent->text();
    if (key.empty()) return before + "[" + std::to_string(index) + "]";
    return before.empty() ? std::string(key) : before + "." + std::string(key);
}

std::string Path::pointer() const {
    if (!parent) return {};
    std::string token = key.empty() ? std::to_string(index) : std::string();
    for (const char c : key) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return parent->pointer() + "/" + token;
}

Error wrong(const Path& path, const std::string& what) {
    Error error =
        invalid("CICD_400", path.parent ? "field '" + path.text() + "' " + what : "the JSON document " + what);
    Diagnostic problem;
    problem.pointer = path.pointer();
    problem.message = error.message;
    error.problems.push_back(std::move(problem));
    return error;
}

Result<const Object*> as_object(const Value& value, const Path& path) {
    if (!value.is_object()) return wrong(path, "must be an object");
    return &value.as_object();
}

Result<const Array*> as_array(const Value& value, const Path& path) {
    if (!value.is_array()) return wrong(path, "must be an array");
    return &value.as_array();
}

Result<void> refuse_unknown(const Object& object, const std::vector<std::string>& allowed, const Path& path) {
    for (const auto& member : object) {
        if (std::find(allowed.begin(), allowed.end(), member.first) != allowed.end()) continue;
        Error error = wrong(Path{&path, member.first}, "is not known here");
        error.hint = did_you_mean(member.first, allowed);
        if (error.hint.empty()) error.hint = "known fields: " + join(allowed, ", ");
        error.problems.front().suggestion = error.hint;
        return error;
    }
    return {};
}

Result<void> read(const Value& value, std::string& out, const Path& path) {
    if (!value.is_string()) return wrong(path, "must be a string");
    out = value.as_string();
    return {};
}

Result<void> read(const Value& value, bool& out, const Path& path) {
    if (!value.is_bool()) return wrong(path, "must be true or false");
    out = value.as_bool();
    return {};
}

Result<void> read(const Value& value, double& out, const Path& path) {
    if (!value.is_number()) return wrong(path, "must be a number");
    out = value.as_number();
    return {};
}

Result<void> read(const Value& value, Timestamp& out, const Path& path) {
    if (value.is_string())
        if (const auto time = parse_time(value.as_string())) {
            out = *time;
            return {};
        }
    return wrong(path, "must be a time such as \"2026-11-21T04:40:32.123Z\"");
}

Result<void> read(const Value& value, Milliseconds& out, const Path& path) {
    if (value.is_string())
        if (const auto duration = parse_duration(value.as_string())) {
            out = *duration;
            return {};
        }
    return wrong(path, "must be a duration such as \"1h30m\"");
}

Result<void> read_size(const Value& value, std::uint64_t& out, const Path& path) {
    if (value.is_string())
        if (const auto size = parse_size(value.as_string())) {
            out = *size;
            return {};
        }
    return wrong(path, "must be a size such as \"500Mi\"");
}

Result<double> read_integer(const Value& value, double lowest, double highest, const Path& path) {
    if (!value.is_number()) return wrong(path, "must be a number");
    const double number = value.as_number();
    if (number != std::trunc(number)) return wrong(path, "must be a whole number");
    // 64-bit limits round up to 2^63 and 2^64, which would overflow themselves.
    const bool too_large = highest > 9007199254740992.0 ? number >= highest : number > highest;
    if (number < lowest || too_large) return wrong(path, "is out of range");
    return number;
}

}  // namespace cicd::codec
