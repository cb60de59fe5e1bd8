#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cicd::job {
namespace {

Result<std::string> read_at(const File& file, const std::filesystem::path& path, std::uint64_t offset,
                            std::size_t length) {
    std::string bytes(length, '\0');
    std::size_t done = 0;
    while (done < length) {
        const ssize_t n = ::pread(file.fd(), bytes.data() + done, length - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read", path);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
}

}  // namespace

struct LogReader::State {
    Paths paths;
    File log, index;

    /// False where the log is not there yet.
    Result<bool> open() {
        for (auto [file, path] : {std::pair{&index, paths.index()}, std::pair{&log, paths.log()}}) {
            if (file->is_open()) continue;
            *file = File(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
            if (file->is_open()) continue;
            if (errno == ENOENT) return false;
            return system_error("open", path);
        }
        return true;
    }

    Result<std::uint64_t> lines() {
        struct stat facts {};
        if (::fstat(index.fd(), &facts) != 0) return system_error("examine", paths.index());
        return static_cast<std::uint64_t>(facts.st_size) / sizeof(LogRecord);
    }

    /// Where a line that the last record known points at ends: behind its newline.
    Result<std::uint64_t> end_by_newline(std::uint64_t offset) {
        for (std::uint64_t at = offset;;) {
            CICD_TRY(const auto bytes, read_at(log, paths.log(), at, 1 << 16));
            if (bytes.empty()) return at;
            if (const auto found = bytes.find('\n'); found != std::string::npos) return at + found + 1;
            at += bytes.size();
        }
    }
};

LogReader::LogReader(Paths paths) : state_(std::make_unique<State>()) { state_->paths = std::move(paths); }
LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;

Result<std::uint64_t> LogReader::line_count() {
    CICD_TRY(const bool there, state_->open());
    if (!there) return std::uint64_t{0};
    return state_->lines();
}

Result<std::vector<LogLine>> LogReader::read(std::uint64_t first, std::uint64_t max_lines, std::uint64_t max_bytes) {
    std::vector<LogLine> lines;
    CICD_TRY(const std::uint64_t count, line_count());
    if (first >= count || max_lines == 0) return lines;
    // A line is never longer than what lies between two records, so this many records are always enough.
    const auto wanted = std::min({max_lines, count - first, max_bytes + 1, std::uint64_t{1} << 16});
    const auto known = std::min(wanted + 1, count - first);

    CICD_TRY(const auto raw, read_at(state_->index, state_->paths.index(), first * sizeof(LogRecord),
                                     static_cast<std::size_t>(known * sizeof(LogRecord))));
    std::vector<LogRecord> records(raw.size() / sizeof(LogRecord));
    std::copy_n(raw.data(), records.size() * sizeof(LogRecord), reinterpret_cast<char*>(records.data()));
    if (records.empty()) return lines;

    const auto take = std::min<std::size_t>(records.size(), wanted);
    std::vector<std::uint64_t> ends(take);
    std::size_t taken = 0;
    for (; taken < take; ++taken) {
        if (taken + 1 < records.size()) {
            ends[taken] = records[taken + 1].offset;
        } else if (records[taken].piece != 0) {
            ends[taken] = records[taken].offset + records[taken].piece;
        } else {
            CICD_TRY(ends[taken], state_->end_by_newline(records[taken].offset));
        }
        if (taken > 0 && ends[taken] - records.front().offset > max_bytes) break;
    }
    const auto begin = records.front().offset;
    CICD_TRY(const auto text, read_at(state_->log, state_->paths.log(), begin, ends[taken - 1] - begin));
    lines.reserve(taken);
    for (std::size_t i = 0; i < taken; ++i) {
        LogLine line{first + i, records[i], text.substr(records[i].offset - begin, ends[i] - records[i].offset)};
        if (records[i].piece == 0 && !line.text.empty() && line.text.back() == '\n') line.text.pop_back();
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace cicd::job
