#pragma once

#include "common/job/log_writer.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/runner/masking.hpp"

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

using SteadyTime = std::chrono::steady_clock::time_point;

/// From the steps' pipes to the log. A pipe that a background process keeps open goes on being read for its step.
class Output {
public:
    explicit Output(job::LogWriter log);

    /// The ends to give to the step's process: stdout and stderr.
    struct Ends {
        os::Fd out, err;
    };
    Result<Ends> open(std::uint32_t step);
    void system_line(std::uint32_t step, std::string_view text);

    /// What others print is no sign of life of the job's steps.
    void step_counts_below(std::uint32_t step) { first_other_ = step; }

    /// Hides what is to be hidden; the same for all that is told of the job.
    [[nodiscard]] const std::shared_ptr<Masking>& masking() const { return masking_; }

    void watch(std::vector<pollfd>& watched) const;
    /// When an unfinished line is due to be shown.
    [[nodiscard]] std::optional<SteadyTime> due() const;
    /// Reads what is there and writes what is due.
    void serve();
    /// What the step's pipes hold now, and no more: a background process may write for ever.
    void drain(std::uint32_t step);
    /// At the job's end, when nothing lives that could write.
    void drain_all();

    [[nodiscard]] SteadyTime last_output() const { return last_output_; }
    /// Why the log could not be written, once that has happened.
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

private:
    struct Stream {
        std::uint32_t step = 0;
        model::LogStream kind = model::LogStream::out;
        os::Fd pipe;
        MaskedStream masked;
        std::string begun;  ///< of a line whose end is not there yet
        SteadyTime begun_at;
    };
    Result<os::Fd> add(std::uint32_t step, model::LogStream kind);
    /// How many bytes were read; 0: nothing there, or closed (then the pipe is reset).
    std::size_t read_once(Stream& stream, std::size_t at_most);
    void take(Stream& stream, std::string_view bytes);
    void flush(Stream& stream, bool last);
    void close(Stream& stream);
    void note(Result<void> written);
    void forget_closed();

    job::LogWriter log_;
    std::shared_ptr<Masking> masking_ = std::make_shared<Masking>();
    std::vector<Stream> streams_;
    std::unique_ptr<char[]> buffer_;  ///< not written before it is used: a quiet job pays for none of it
    SteadyTime last_output_ = std::chrono::steady_clock::now(), read_at_ = last_output_;
    std::uint32_t first_other_ = ~0u;
    std::optional<Error> failure_;
};

}  // namespace cicd::runner
