#pragma once

#include "tests/support/processes.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cicd::test {

/// How a program ended and what it wrote. `code` is 128 + n for a death by signal n, 124 where it was killed for being slow.
struct Outcome {
    int code = -1;
    std::string out, err;
    double seconds = 0;
};

struct RunOptions {
    std::filesystem::path directory;          ///< empty: where the test runs
    std::map<std::string, std::string> env;   ///< set on top of the test's own; an empty value unsets
    std::string input;
    std::chrono::seconds limit{120};          ///< a bound against hanging, not an expectation
    bool terminal = false;                    ///< stdin, stdout and stderr are a pseudo-terminal; `out` is the screen's bytes
    unsigned short columns = 100, rows = 40;  ///< of the terminal
};

Outcome run(const std::vector<std::string>& command, const RunOptions& options = {});

/// A program that goes on while the test does something else. Killed, if it still runs, when this dies.
class Background {
public:
    Background(const std::vector<std::string>& command, const RunOptions& options = {});
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    [[nodiscard]] int pid() const { return pid_; }
    void signal(int number) const;
    /// Reads until the output so far (of stdout from `from` on) holds `text` (true) or the program ends or the limit
    /// passes (false).
    bool wait_for_output(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(60),
                         std::size_t from = 0);
    Outcome wait(std::chrono::seconds limit = std::chrono::seconds(120));

    // Of a program on a terminal:
    void type(const std::string& keys) const;
    void resize(unsigned short columns, unsigned short rows) const;
    /// Lines are edited and typed keys shown by the terminal, as a shell leaves it: nobody has taken it over.
    [[nodiscard]] bool terminal_is_plain() const;
    /// What was written so far.
    [[nodiscard]] const std::string& output() const { return outcome_.out; }

private:
    bool pump(int timeout_ms);
    int pid_ = -1;
    int out_ = -1, err_ = -1;
    Outcome outcome_;
    std::chrono::steady_clock::time_point start_;
};

/// Waits, by asking again and again, until the condition holds; false when the limit passed first.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(30));

}  // namespace cicd::test
