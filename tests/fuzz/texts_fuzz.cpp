// Durations, sizes, times, cron expressions and UTF-8: what can be read is written and read as the same.
#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/pipeline/readers.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    if (const auto duration = parse_duration(text)) {
        fuzz::require(duration->count() >= 0, "a duration is not negative");
        const auto again = parse_duration(format_duration(*duration));
        fuzz::require(again && *again == *duration, "a written duration is the same", format_duration(*duration));
        (void)humanize_duration(*duration);
    } else {
        fuzz::require_good(duration.error());
    }
    if (const auto bytes = parse_size(text)) {
        const auto again = parse_size(format_size(*bytes));
        fuzz::require(again && *again == *bytes, "a written size is the same", format_size(*bytes));
        (void)humanize_size(*bytes);
    } else {
        fuzz::require_good(bytes.error());
    }
    if (const auto time = parse_time(text)) {
        const auto again = parse_time(format_time(*time));
        fuzz::require(again && *again == *time, "a written time is the same", format_time(*time));
    } else {
        fuzz::require_good(time.error());
    }
    if (const auto fault = pipeline::cron_fault(text)) fuzz::require(!fault->empty(), "a cron fault says why");
    const auto valid = to_valid_utf8(text);
    fuzz::require(is_valid_utf8(valid), "to_valid_utf8 gives valid UTF-8", valid);
    fuzz::require(!is_valid_utf8(text) || valid == text, "valid UTF-8 stays as it is", text);
    (void)nearest(text, std::vector<std::string>{"run", "retry", "größe", ""});
    return 0;
}
