// Bodies: JSON as the API reads it, and every type that is decoded from what a client or a job directory gives.
#include "common/codec/codecs.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace cicd;

namespace {

/// What can be decoded is encoded to something that decodes as the same.
template <class T>
void try_type(const Value& value) {
    const auto decoded = codec::decode<T>(value);
    if (!decoded) return fuzz::require_good(decoded.error());
    const auto again = codec::decode<T>(codec::encode(*decoded));
    fuzz::require(again.has_value(), "what is encoded can be decoded", codec::to_json(codec::encode(*decoded)));
    fuzz::require(*again == *decoded, "what is encoded decodes as the same", codec::to_json(codec::encode(*decoded)));
}

/// Of requests nothing is encoded but by our own client, in the shape that is canonical.
template <class T>
void try_request(const Value& value) {
    const auto decoded = codec::decode<T>(value);
    if (!decoded) return fuzz::require_good(decoded.error());
    const auto again = codec::decode<T>(codec::encode(*decoded));
    fuzz::require(again.has_value(), "what a client sends is understood", codec::to_json(codec::encode(*decoded)));
}

void try_types(const Value& value, unsigned char which) {
    switch (which % 18) {
        case 0: return try_request<contract::StartRun>(value);
        case 1: return try_request<contract::RetryRun>(value);
        case 2: return try_request<contract::Cancel>(value);
        case 3: return try_request<contract::SavePipeline>(value);
        case 4: return try_type<model::JobSpec>(value);
        case 5: return try_type<model::JournalEntry>(value);
        case 6: return try_type<model::JobExit>(value);
        case 7: return try_type<model::Step>(value);
        case 8: return try_type<model::Pipeline>(value);
        case 9: return try_type<model::Component>(value);
        case 10: return try_type<model::Event>(value);
        case 11: return try_type<model::Source>(value);
        case 12: return try_type<model::Plan>(value);
        case 13: return try_type<model::Run>(value);
        case 14: return try_type<model::JobRun>(value);
        case 15: return try_type<model::RunEvent>(value);
        case 16: return try_type<contract::LogEntry>(value);
        case 17: return try_type<Error>(value);
        default: return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    const auto which = fuzz::take_byte(text);
    const auto value = codec::parse_json(text);
    if (!value) {
        fuzz::require_good(value.error());
        return 0;
    }
    for (const int indent : {-1, 2}) {
        const auto written = codec::to_json(*value, indent);
        const auto again = codec::parse_json(written);
        fuzz::require(again.has_value(), "what is written as JSON can be read", written);
        fuzz::require(*again == *value, "what is written as JSON is the same when it is read", written);
    }
    try_types(*value, which);
    return 0;
}
