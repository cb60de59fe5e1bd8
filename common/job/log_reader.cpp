#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cicd::job {
namespace {

/// How many bytes could be read.
Result<std::size_t> read_at(const File& file, const std::filesystem::path& path, std::uint64_t offset, char* into,
                            std::size_t length) {
    std::size_t done = 0;
    while (done < length) {
        const ssize_t n = ::pread(file.fd(), into + done, length - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read", path);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

Result<std::uint64_t> size_of(const File& file, const std::filesystem::path& path) {
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return system_error("examine", path);
    return static_cast<std::uint64_t>(facts.st_size);
}

}  // namespace

std::string_view LogBatch::text(std::size_t index) const {
    const auto& record = records_[index];
    const auto begin = records_.front().offset;
    std::string_view line = std::string_view(bytes_).substr(record.offset - begin, ends_[index] - record.offset);
    if (record.piece == 0 && line.ends_with('\n')) line.remove_suffix(1);
    return line;
}

std::size_t LogBatch::alike(std::size_t index) const {
    const auto& first = records_[index];
    std::size_t count = 1;
    if (first.piece != 0) return count;
    const auto same = [&](const LogRecord& other) {
        return other.piece == 0 && other.time_us == first.time_us && other.step == first.step && other.stream == first.stream;
    };
    while (index + count < size() && same(records_[index + count])) ++count;
    return count;
}

std::string_view LogBatch::text(std::size_t index, std::size_t lines) const {
    const auto last = text(index + lines - 1);
    const char* begin = bytes_.data() + (records_[index].offset - records_.front().offset);
    return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
}

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
        CICD_TRY(const auto size, size_of(index, paths.index()));
        return size / sizeof(LogRecord);
    }

    Result<void> read_records(std::uint64_t first, std::uint64_t most, std::vector<LogRecord>& records) {
        records.resize(most);
        CICD_TRY(const auto bytes, read_at(index, paths.index(), first * sizeof(LogRecord),
                                           reinterpret_cast<char*>(records.data()), most * sizeof(LogRecord)));
        records.resize(bytes / sizeof(LogRecord));
        return {};
    }

    /// Makes `bytes`, which begin at `begin`, reach to behind the line that starts at `offset`, and gives where that is.
    Result<std::uint64_t> read_to_newline(std::uint64_t begin, std::uint64_t offset, std::string& bytes) {
        for (std::size_t guess = 4096;; guess *= 4) {
            const auto known = bytes.size();
            bytes.resize(known + guess);
            CICD_TRY(const auto got, read_at(log, paths.log(), begin + known, bytes.data() + known, guess));
            bytes.resize(known + got);
            const auto searched = std::max<std::size_t>(known, offset - begin);
            if (const auto found = bytes.find('\n', searched); found != std::string::npos) return begin + found + 1;
            if (got == 0) return begin + bytes.size();
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

Result<void> LogReader::read(std::uint64_t first, std::uint64_t max_lines, std::uint64_t max_bytes, LogBatch& batch) {
    batch.first_ = first;
    batch.ends_.clear();
    CICD_TRY(const bool there, state_->open());
    if (!there || max_lines == 0) return {};
    // No line is shorter than a byte, and one record more than wanted tells where the last one ends.
    const auto wanted = std::min({max_lines, max_bytes + 1, std::uint64_t{1} << 16});
    CICD_CHECK(state_->read_records(first, wanted + 1, batch.records_));
    const auto& records = batch.records_;
    if (records.empty()) return {};

    const auto begin = records.front().offset;
    const auto take = std::min<std::size_t>(records.size(), wanted);
    std::optional<std::uint64_t> open_line;
    CICD_TRY(const auto size, size_of(state_->log, state_->paths.log()));
    for (std::size_t i = 0; i < take; ++i) {
        std::uint64_t end = 0;
        if (i + 1 < records.size())
            end = records[i + 1].offset;
        else if (records[i].piece != 0)
            end = records[i].offset + records[i].piece;
        else
            open_line = end = records[i].offset;
        // An index torn by a power failure points backwards or out of the log: from there on, no line is there.
        const bool torn = end < records[i].offset || end > size;
        if (torn || (i > 0 && end - begin > max_bytes)) {
            open_line.reset();
            break;
        }
        batch.ends_.push_back(end);
    }
    if (batch.ends_.empty()) return {};
    const auto length = static_cast<std::size_t>(batch.ends_.back() - begin);
    batch.bytes_.resize(length);
    CICD_TRY(const auto got, read_at(state_->log, state_->paths.log(), begin, batch.bytes_.data(), length));
    if (got < length) {
        // After a power failure the index may know of lines that never reached the disk: they are not there.
        batch.bytes_.resize(got);
        while (!batch.ends_.empty() && batch.ends_.back() - begin > got) batch.ends_.pop_back();
        return {};
    }
    if (open_line) {
        CICD_TRY(batch.ends_.back(), state_->read_to_newline(begin, *open_line, batch.bytes_));
    }
    return {};
}

Result<std::vector<LogLine>> LogReader::read(std::uint64_t first, std::uint64_t max_lines, std::uint64_t max_bytes) {
    LogBatch batch;
    CICD_CHECK(read(first, max_lines, max_bytes, batch));
    std::vector<LogLine> lines;
    lines.reserve(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i)
        lines.push_back({batch.number(i), batch.record(i), std::string(batch.text(i))});
    return lines;
}

Result<std::uint64_t> LogReader::first_line_since(std::uint64_t time_us) {
    CICD_TRY(auto last, line_count());
    std::uint64_t first = 0;
    std::vector<LogRecord> one;
    while (first < last) {
        const auto middle = first + (last - first) / 2;
        CICD_CHECK(state_->read_records(middle, 1, one));
        if (one.empty()) return first;
        if (one.front().time_us < time_us)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

Result<std::uint64_t> LogReader::offset_of(std::uint64_t line) {
    CICD_TRY(const auto count, line_count());
    if (count == 0) return std::uint64_t{0};
    std::vector<LogRecord> one;
    CICD_CHECK(state_->read_records(std::min(line, count - 1), 1, one));
    if (one.empty()) return std::uint64_t{0};
    if (line < count) return one.front().offset;
    if (one.front().piece != 0) return one.front().offset + one.front().piece;
    std::string bytes;
    return state_->read_to_newline(one.front().offset, one.front().offset, bytes);
}

Result<std::uint64_t> LogReader::text_size() {
    CICD_TRY(const bool there, state_->open());
    if (!there) return std::uint64_t{0};
    return size_of(state_->log, state_->paths.log());
}

Result<std::string> LogReader::text(std::uint64_t offset, std::size_t most) {
    std::string bytes;
    CICD_TRY(const bool there, state_->open());
    if (!there) return bytes;
    bytes.resize(most);
    CICD_TRY(const auto got, read_at(state_->log, state_->paths.log(), offset, bytes.data(), most));
    bytes.resize(got);
    return bytes;
}

}  // namespace cicd::job
