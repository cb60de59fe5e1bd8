#include "common/codec/codecs.hpp"
#include "common/codec/fields.hpp"

namespace cicd {
// Only here: kinds are not part of any definition or state.
template <>
struct EnumText<ErrorKind> {
    using E = ErrorKind;
    static constexpr std::array table{
        std::pair{E::invalid, std::string_view{"invalid"}},     std::pair{E::forbidden, std::string_view{"forbidden"}},
        std::pair{E::not_found, std::string_view{"not_found"}}, std::pair{E::blocked, std::string_view{"blocked"}},
        std::pair{E::conflict, std::string_view{"conflict"}},
        std::pair{E::unavailable, std::string_view{"unavailable"}},
        std::pair{E::timeout, std::string_view{"timeout"}},     std::pair{E::cancelled, std::string_view{"cancelled"}},
        std::pair{E::internal, std::string_view{"internal"}}};
};
template <>
struct EnumText<Severity> {
    using E = Severity;
    static constexpr std::array table{std::pair{E::error, std::string_view{"error"}},
                                      std::pair{E::warning, std::string_view{"warning"}},
                                      std::pair{E::note, std::string_view{"note"}}};
};
}  // namespace cicd

namespace cicd::codec {

template <>
struct Fields<Diagnostic> {
    using T = Diagnostic;
    static constexpr auto list =
        std::tuple{required("severity", &T::severity), shown("file", &T::file), shown("line", &T::line),
                   shown("column", &T::column), shown("pointer", &T::pointer), required("message", &T::message),
                   shown("suggestion", &T::suggestion)};
};

CICD_CODEC_BY_FIELDS(Diagnostic)

namespace {

Object error_body(const Error& error) {
    return {{"code", error.code},
            {"message", error.message},
            {"details",
             Object{{"kind", write(error.kind)}, {"hint", error.hint}, {"problems", write(error.problems)}}}};
}

Result<void> read_error(const Value& value, Error& error) {
    const Path root;
    const Path path{&root, "error"};
    CICD_CHECK(as_object(value, root));
    const Value& body = value["error"];
    CICD_CHECK(as_object(body, path));
    CICD_CHECK(read(body["code"], error.code, Path{&path, "code"}));
    CICD_CHECK(read(body["message"], error.message, Path{&path, "message"}));
    // Details are for people and may be missing: an error from a proxy is still an error.
    const Path at{&path, "details"};
    const Value& details = body["details"];
    if (!details["kind"].is_null()) CICD_CHECK(read(details["kind"], error.kind, Path{&at, "kind"}));
    if (!details["hint"].is_null()) CICD_CHECK(read(details["hint"], error.hint, Path{&at, "hint"}));
    if (!details["problems"].is_null()) CICD_CHECK(read(details["problems"], error.problems, Path{&at, "problems"}));
    return {};
}

}  // namespace

Value encode_error(const Error& error, std::string_view request_id, std::string_view documentation) {
    Object body = error_body(error);
    body.set("requestId", request_id);
    if (!documentation.empty()) body.set("documentation", documentation);
    return Object{{"error", std::move(body)}};
}

template <>
Value encode(const Error& error) {
    return Object{{"error", error_body(error)}};
}

template <>
Result<Error> decode(const Value& value) {
    // Here the value is an Error too, so each side has to be named.
    Error error;
    if (auto result = read_error(value, error); !result) return {boost::system::in_place_error, result.error()};
    return {boost::system::in_place_value, std::move(error)};
}

}  // namespace cicd::codec
