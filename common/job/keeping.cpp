#include "common/job/keeping.hpp"

#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/pipeline_fields.hpp"
#include "common/codec/run_fields.hpp"
#include "common/job/keeping_fields.hpp"

#include <algorithm>

namespace cicd::codec {

template <>
struct Fields<job::KeepRequest> {
    using T = job::KeepRequest;
    static constexpr auto list =
        std::tuple{required("operation", &T::operation), required("store", &T::store), omitted("mayLink", &T::may_link),
                   omitted("needed", &T::needed), omitted("artifacts", &T::artifacts), omitted("caches", &T::caches),
                   omitted("places", &T::places), omitted("outcomes", &T::outcomes)};
};

}  // namespace cicd::codec

namespace cicd::job {
namespace {

template <class T>
Result<std::vector<T>> read_list(const Value& value) {
    std::vector<T> list;
    if (value.is_null()) return list;
    CICD_CHECK(codec::read(value, list, codec::Path{}));
    return list;
}

}  // namespace

Result<void> check_artifact_name(const std::string& name) {
    constexpr std::size_t longest = 200;
    const bool odd = name.empty() || name.size() > longest || name == "." || name == ".." || !is_valid_utf8(name) ||
                     std::any_of(name.begin(), name.end(), [](char c) {
                         return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
                     });
    if (!odd) return {};
    return invalid("ARTIFACT_002", "'" + to_valid_utf8(name.substr(0, longest)) + "' cannot be the name of an artifact",
                   "at most 200 bytes, without slashes and control characters");
}

bool is_cache_key(std::string_view key) { return !trim(key).empty() && key.size() <= longest_cache_key && is_valid_utf8(key); }

std::string to_text(const KeepRequest& request) { return codec::to_json(codec::write(request)); }

std::string to_text(const KeepAnswer& answer) {
    Object object{{"notes", codec::write(answer.notes)},
                  {"artifacts", codec::write(answer.artifacts)},
                  {"caches", codec::write(answer.caches)}};
    if (answer.error) object.set("error", codec::encode(*answer.error)["error"]);
    return codec::to_json(object);
}

Result<KeepRequest> read_keep_request(std::string_view text) {
    CICD_TRY(const auto value, codec::parse_json(text));
    return codec::read_whole<KeepRequest>(value);
}

Result<KeepAnswer> read_keep_answer(std::string_view text) {
    CICD_TRY(const auto value, codec::parse_json(text));
    KeepAnswer answer;
    CICD_TRY(answer.notes, read_list<std::string>(value["notes"]));
    CICD_TRY(answer.artifacts, read_list<model::JobArtifact>(value["artifacts"]));
    CICD_TRY(answer.caches, read_list<model::JobCache>(value["caches"]));
    if (value["error"].is_object()) {
        CICD_TRY(answer.error, codec::decode<Error>(Object{{"error", value["error"]}}));
    }
    return answer;
}

}  // namespace cicd::job
