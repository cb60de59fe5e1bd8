#include "daemon/app/logging.hpp"

#include "common/base/text.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace cicd::app {
namespace {

constexpr std::size_t largest_file = 10 << 20;
constexpr std::size_t old_files = 3;

/// What is no `key=value` line yet becomes one.
class Message final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        const auto line = text.starts_with("msg=") ? std::string(text) : log_line(text);
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Message>(); }
};

/// The level as the journal reads it: "<4>".
class JournalLevel final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        out.push_back('<');
        out.push_back(digit(message.level));
        out.push_back('>');
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JournalLevel>(); }

private:
    static char digit(spdlog::level::level_enum level) {
        switch (level) {
            case spdlog::level::trace:
            case spdlog::level::debug: return '7';
            case spdlog::level::info: return '6';
            case spdlog::level::warn: return '4';
            case spdlog::level::err: return '3';
            case spdlog::level::critical: return '2';
            case spdlog::level::off:
            case spdlog::level::n_levels: break;
        }
        return '6';
    }
};

std::unique_ptr<spdlog::formatter> formatter(bool journal) {
    auto made = std::make_unique<spdlog::pattern_formatter>();
    made->add_flag<Message>('*').add_flag<JournalLevel>('&');
    made->set_pattern(journal ? "%&%*" : "time=%Y-%m-%dT%H:%M:%S.%e%z level=%l %*");
    return made;
}

}  // namespace

std::vector<std::string> log_levels() { return {"trace", "debug", "info", "warn", "error"}; }

Result<void> set_log_level(const std::string& level) {
    const auto levels = log_levels();
    if (std::find(levels.begin(), levels.end(), level) == levels.end())
        return invalid("CICD_400", "'" + level + "' is no log level", "choose one of " + join(levels, ", "));
    spdlog::set_level(spdlog::level::from_str(level));
    return {};
}

std::string log_level() {
    const auto name = spdlog::level::to_string_view(spdlog::get_level());
    const std::string text(name.data(), name.size());
    return text == "warning" ? "warn" : text;
}

std::string quoted_where_needed(std::string_view value) {
    const auto plain = [](char c) { return c > ' ' && c != '"' && c != '=' && c != '\\' && c != '\x7f'; };
    if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) return std::string(value);
    std::string text = "\"";
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return text + '"';
}

std::string log_line(std::string_view text, LogFields fields) {
    std::string line = "msg=" + quoted_where_needed(text);
    for (const auto& [key, value] : fields) line += " " + std::string(key) + "=" + quoted_where_needed(value);
    return line;
}

bool is_journal(int fd, const char* journal_stream) {
    struct stat facts {};
    if (!journal_stream || ::fstat(fd, &facts) != 0) return false;
    return journal_stream == std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

Result<void> start_logging(const LogOptions& options) {
    spdlog::sink_ptr sink;
    try {
        if (options.file.empty())
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        else
            sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file.string(), largest_file, old_files);
    } catch (const spdlog::spdlog_ex& failure) {
        return unavailable("CICD_503", std::string("cannot write the log: ") + failure.what());
    }
    auto logger = std::make_shared<spdlog::logger>("cicdd", std::move(sink));
    logger->set_formatter(formatter(options.file.empty() && is_journal(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))));
    logger->flush_on(spdlog::level::info);
    // A full disk must not end the daemon, nor fill its stderr with complaints about the log.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
    return set_log_level(options.level);
}

}  // namespace cicd::app
