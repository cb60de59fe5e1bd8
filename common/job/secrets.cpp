#include "common/job/secrets.hpp"

#include "common/base/base64.hpp"
#include "common/base/text.hpp"
#include "common/codec/json.hpp"

namespace cicd::job {

std::string write_secrets(const Object& values) {
    Object written;
    for (const auto& [name, value] : values)
        written.set(name,
                    is_valid_utf8(value.as_string()) ? value : Value(Object{{"base64", to_base64(value.as_string())}}));
    return codec::to_json(written);
}

Result<Object> read_secrets(std::string_view text) {
    Object values;
    if (trim(text).empty()) return values;
    const auto read = codec::parse_json(text);
    const auto broken = internal_error("what came as the job's secrets is not what a daemon sends");
    if (!read || !read->is_object()) return broken;
    for (const auto& [name, value] : read->as_object()) {
        const auto& encoded = value["base64"];
        const auto bytes = encoded.is_string() ? from_base64(encoded.as_string()) : std::nullopt;
        if (!value.is_string() && !bytes) return broken;
        values.set(name, bytes ? *bytes : value.as_string());
    }
    return values;
}

}  // namespace cicd::job
