#include "common/job/log_writer.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>

namespace cicd::job {

static_assert(std::endian::native == std::endian::little, "log.idx is little-endian and written as it is in memory");

Result<LogWriter> LogWriter::open(const Paths& paths) {
    CICD_TRY(auto log, open_for_append(paths.log()));
    CICD_TRY(auto index, open_for_append(paths.index()));
    return LogWriter(paths, std::move(log), std::move(index));
}

Result<LogWriter> LogWriter::reopen(const Paths& paths) {
    CICD_TRY(auto log, open(paths));
    const auto end = ::lseek(log.log_.fd(), 0, SEEK_END);
    if (end > 0) log.offset_ = static_cast<std::uint64_t>(end);
    return log;
}

Result<void> LogWriter::write_lines(std::uint32_t step, model::LogStream stream, std::uint64_t time_us,
                                    std::string_view head, std::string_view text) {
    LogRecord record{offset_, time_us, step, static_cast<std::uint8_t>(stream), 0, 0};
    std::size_t begin = 0;
    while (begin < text.size()) {
        records_.push_back(record);
        const void* newline = std::memchr(text.data() + begin, '\n', text.size() - begin);
        begin = static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) + 1;
        record.offset = offset_ + head.size() + begin;
    }
    return write(head, text);
}

Result<void> LogWriter::write_piece(std::uint32_t step, model::LogStream stream, std::uint64_t time_us,
                                    std::string_view text, bool last) {
    std::uint64_t at = offset_;
    for (std::string_view rest = text; !rest.empty();) {
        const auto length = std::min(rest.size(), largest_piece);
        rest.remove_prefix(length);
        const bool goes_on = !rest.empty() || !last;
        records_.push_back({at, time_us, step, static_cast<std::uint8_t>(stream), goes_on ? log_partial : std::uint8_t{0},
                            static_cast<std::uint16_t>(length)});
        at += length;
    }
    return write({}, text);
}

Result<void> LogWriter::write(std::string_view head, std::string_view text) {
    std::array<iovec, 2> bytes{iovec{const_cast<char*>(head.data()), head.size()},
                               iovec{const_cast<char*>(text.data()), text.size()}};
    CICD_CHECK(write_all(log_.fd(), bytes, paths_.log()));
    offset_ += head.size() + text.size();
    iovec records{records_.data(), records_.size() * sizeof(LogRecord)};
    CICD_CHECK(write_all(index_.fd(), std::span(&records, 1), paths_.index()));
    records_.clear();
    return {};
}

}  // namespace cicd::job
