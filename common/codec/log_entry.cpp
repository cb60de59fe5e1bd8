#include "common/codec/log_entry.hpp"

#include "common/codec/codecs.hpp"
#include "common/codec/json_text.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace cicd::codec {
namespace {

template <class N>
void append_number(std::string& out, N number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// Where the first of them is, or the end: eight bytes at a time (Mycroft's test for a zero byte after XOR).
std::size_t quote_or_backslash(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL;
    const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & tops; };
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        if (has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\')) break;
    }
    while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
    return at;
}

/// Reads the one form in which we write; anything else is left to the general parser.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool skip(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    template <class N>
    bool number(N& out) {
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
        if (error != std::errc{}) return false;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return true;
    }
    /// Up to the closing quote, which is taken too; no escapes.
    bool word(std::string_view& out) {
        const auto end = rest_.find('"');
        if (end == std::string_view::npos) return false;
        out = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return out.find('\\') == std::string_view::npos;
    }
    /// The same with the escapes that we write.
    bool text(std::string& out) {
        for (;;) {
            const auto stop = quote_or_backslash(rest_);
            if (stop == rest_.size()) return false;
            out.append(rest_.substr(0, stop));
            const bool closed = rest_[stop] == '"';
            rest_.remove_prefix(stop + 1);
            if (closed) return true;
            if (!escape(out)) return false;
        }
    }
    [[nodiscard]] bool done() const { return rest_.empty(); }

private:
    bool escape(std::string& out) {
        if (rest_.empty()) return false;
        const char kind = rest_.front();
        rest_.remove_prefix(1);
        switch (kind) {
            case '"':
            case '\\': out += kind; return true;
            case 'n': out += '\n'; return true;
            case 'r': out += '\r'; return true;
            case 't': out += '\t'; return true;
            case 'u': break;
            default: return false;
        }
        unsigned value = 0;
        if (rest_.size() < 4) return false;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, value, 16);
        if (error != std::errc{} || end != rest_.data() + 4 || value > 0x7F) return false;
        out += static_cast<char>(value);
        rest_.remove_prefix(4);
        return true;
    }

    std::string_view rest_;
};

bool scan(std::string_view json, LogLines& out) {
    auto& entry = out.entry;
    Scanner in(json);
    std::string_view job, key, stream, time;
    if (!in.skip("{\"jobId\":\"") || !in.word(job)) return false;
    if (!in.skip(",\"jobKey\":\"") || !in.word(key)) return false;
    if (!in.skip(",\"line\":") || !in.number(entry.line)) return false;
    if (!in.skip(",\"step\":") || !in.number(entry.step)) return false;
    if (!in.skip(",\"stream\":\"") || !in.word(stream)) return false;
    if (!in.skip(",\"time\":\"") || !in.word(time)) return false;
    if (!in.skip(",\"text\":\"") || !in.text(entry.text)) return false;
    entry.partial = in.skip(",\"partial\":true");
    if (!entry.partial && !in.skip(",\"partial\":false")) return false;
    if (in.skip(",\"lines\":") && !in.number(out.lines)) return false;
    if (!in.skip(",\"attempt\":") || !in.number(entry.attempt)) return false;
    if (!in.skip("}") || !in.done()) return false;
    const auto kind = from_text<model::LogStream>(stream);
    const auto moment = parse_time(time);
    if (!kind || !moment) return false;
    entry.job = JobId(std::string(job));
    entry.job_key = key;
    entry.stream = *kind;
    entry.time = *moment;
    return true;
}

}  // namespace

LogEntryWriter::LogEntryWriter(const JobId& job, std::string_view job_key, int attempt) {
    begin_ = "{\"jobId\":";
    append_json_string(job.str(), begin_);
    begin_ += ",\"jobKey\":";
    append_json_string(job_key, begin_);
    begin_ += ",\"line\":";
    end_ = ",\"attempt\":" + std::to_string(attempt) + "}";
}

void LogEntryWriter::append(std::string& out, const Line& line) {
    const auto second = std::chrono::floor<std::chrono::seconds>(line.time);
    if (second != second_ || time_text_.empty()) {
        second_ = second;
        time_text_ = format_time(second);  // "2026-11-21T04:40:32.000Z"
    }
    const auto thousandths = static_cast<int>((line.time - second).count());
    const auto dot = time_text_.size() - 4;
    time_text_[dot] = static_cast<char>('0' + thousandths / 100);
    time_text_[dot + 1] = static_cast<char>('0' + thousandths / 10 % 10);
    time_text_[dot + 2] = static_cast<char>('0' + thousandths % 10);

    out += begin_;
    append_number(out, line.number);
    out += ",\"step\":";
    append_number(out, line.step);
    out += ",\"stream\":\"";
    out += to_text(line.stream);
    out += "\",\"time\":\"";
    out += time_text_;
    out += "\",\"text\":";
    append_json_string(line.text, out);
    out += line.partial ? ",\"partial\":true" : ",\"partial\":false";
    if (line.lines > 1) {
        out += ",\"lines\":";
        append_number(out, line.lines);
    }
    out += end_;
}

Result<LogLines> parse_log_lines(std::string_view json) {
    LogLines found;
    if (scan(json, found)) return found;
    CICD_TRY(const auto value, parse_json(json));
    CICD_TRY(found.entry, decode<contract::LogEntry>(value));
    const auto& lines = value["lines"];
    found.lines = lines.is_number() && lines.as_number() >= 1 ? static_cast<std::uint64_t>(lines.as_number()) : 1;
    return found;
}

Result<contract::LogEntry> parse_log_entry(std::string_view json) {
    CICD_TRY(auto found, parse_log_lines(json));
    return std::move(found.entry);
}

}  // namespace cicd::codec
