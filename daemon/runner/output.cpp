#include "daemon/runner/output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cicd::runner {
namespace {

constexpr int pipe_capacity = 1 << 18;
constexpr std::size_t buffer_size = 1 << 18;
constexpr std::size_t longest_begun = 1 << 16;
constexpr auto patience = std::chrono::milliseconds(20);

std::uint64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace

Output::Output(job::LogWriter log) : log_(std::move(log)), buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)) {}

Result<Output::Ends> Output::open(std::uint32_t step) {
    CICD_TRY(auto out, add(step, model::LogStream::out));
    CICD_TRY(auto err, add(step, model::LogStream::err));
    return Ends{std::move(out), std::move(err)};
}

Result<os::Fd> Output::add(std::uint32_t step, model::LogStream kind) {
    CICD_TRY(auto pipe, os::make_pipe(pipe_capacity));
    CICD_CHECK(os::set_nonblocking(pipe.read.get()));
    Stream stream;
    stream.step = step;
    stream.masked = MaskedStream(step);
    stream.kind = kind;
    stream.pipe = std::move(pipe.read);
    streams_.push_back(std::move(stream));
    return std::move(pipe.write);
}

void Output::system_line(std::uint32_t step, std::string_view text) {
    auto line = masking_->whole(text);
    for (char& c : line)
        if (c == '\n') c = ' ';
    line += '\n';
    note(log_.write_lines(step, model::LogStream::system, now_us(), {}, line));
}

void Output::watch(std::vector<pollfd>& watched) const {
    for (const auto& stream : streams_) watched.push_back({stream.pipe.get(), POLLIN, 0});
}

std::optional<SteadyTime> Output::due() const {
    std::optional<SteadyTime> first;
    for (const auto& stream : streams_)
        if (!stream.begun.empty() && (!first || stream.begun_at + patience < *first)) first = stream.begun_at + patience;
    return first;
}

void Output::serve() {
    for (auto& stream : streams_) read_once(stream, buffer_size);
    forget_closed();
    const auto now = std::chrono::steady_clock::now();
    for (auto& stream : streams_)
        if (!stream.begun.empty() && stream.begun_at + patience <= now) flush(stream, false);
}

void Output::drain(std::uint32_t step) {
    for (auto& stream : streams_) {
        if (stream.step != step) continue;
        int waiting = 0;
        if (::ioctl(stream.pipe.get(), FIONREAD, &waiting) != 0) continue;
        for (auto left = static_cast<std::size_t>(waiting); left > 0;) {
            const auto n = read_once(stream, left);
            if (n == 0) break;
            left -= n;
        }
        // Notices the end of a pipe that nobody holds any more.
        pollfd state{stream.pipe.get(), POLLIN, 0};
        if (::poll(&state, 1, 0) > 0 && (state.revents & POLLIN) == 0) read_once(stream, buffer_size);
    }
    forget_closed();
}

void Output::drain_all() {
    for (auto& stream : streams_) {
        while (read_once(stream, buffer_size) > 0) {}
        close(stream);
    }
    forget_closed();
}

std::size_t Output::read_once(Stream& stream, std::size_t at_most) {
    ssize_t n = 0;
    do n = ::read(stream.pipe.get(), buffer_.get(), std::min(at_most, buffer_size));
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) {
        close(stream);
        return 0;
    }
    read_at_ = std::chrono::steady_clock::now();
    if (stream.step < first_other_) last_output_ = read_at_;
    take(stream, masking_->pass(stream.masked, {buffer_.get(), static_cast<std::size_t>(n)}));
    if (masking_->take_refusal())
        system_line(stream.step, "a value for ::add-mask:: was not taken: it is longer than 64 KiB, or there are more than "
                                 "4096 or 4 MiB of them");
    return static_cast<std::size_t>(n);
}

void Output::take(Stream& stream, std::string_view bytes) {
    if (bytes.empty()) return;  // all of it is held back, as it may begin a secret
    const void* newline = ::memrchr(bytes.data(), '\n', bytes.size());
    if (newline) {
        const auto whole = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data()) + 1;
        note(log_.write_lines(stream.step, stream.kind, now_us(), stream.begun, bytes.substr(0, whole)));
        stream.begun.clear();
        bytes.remove_prefix(whole);
        if (bytes.empty()) return;
    }
    if (stream.begun.empty()) stream.begun_at = read_at_;
    stream.begun += bytes;
    if (stream.begun.size() >= longest_begun) flush(stream, false);
}

void Output::close(Stream& stream) {
    take(stream, masking_->rest(stream.masked));
    flush(stream, true);
    stream.pipe.reset();
}

void Output::flush(Stream& stream, bool last) {
    if (stream.begun.empty()) return;
    note(log_.write_piece(stream.step, stream.kind, now_us(), stream.begun, last));
    stream.begun.clear();
}

void Output::note(Result<void> written) {
    if (!written && !failure_) failure_ = written.error();
}

void Output::forget_closed() {
    std::erase_if(streams_, [](const Stream& stream) { return !stream.pipe; });
}

}  // namespace cicd::runner
