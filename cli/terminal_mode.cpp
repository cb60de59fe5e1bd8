#include "cli/terminal_mode.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string_view>

// One terminal, so one state; the handlers below may touch nothing but it and what is async-signal-safe.
namespace cicd::cli {
namespace {

constexpr std::string_view hide_cursor = "\x1b[?25l", show_cursor = "\x1b[?25h";
constexpr std::array deadly{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

termios original;
std::atomic<bool> have_original = false, active = false, went_on = false, was_behind = false;
struct sigaction before_stop, before_continue;

void write_to_terminal(std::string_view text) {
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
}

void enter() {
    if (have_original && TerminalMode::in_foreground()) {
        auto keys = original;
        keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        keys.c_cc[VMIN] = 0;
        keys.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    if (TerminalMode::in_foreground()) write_to_terminal(hide_cursor);
}

void leave() {
    if (have_original && TerminalMode::in_foreground()) ::tcsetattr(STDIN_FILENO, TCSANOW, &original);
    write_to_terminal(show_cursor);
}

void on_crash(int signal) {
    if (active) leave();
    ::raise(signal);  // SA_RESETHAND: this time it is deadly
}

void set(int signal, void (*handler)(int), int flags, struct sigaction* before) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, before);
}

void on_stop(int signal) {
    leave();
    set(signal, SIG_DFL, 0, nullptr);
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, signal);
    ::raise(signal);
    ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);  // stops here, and goes on here
    set(signal, on_stop, 0, nullptr);
}

void on_continue(int) {
    enter();
    went_on = true;
}

}  // namespace

TerminalMode::TerminalMode() {
    have_original = ::tcgetattr(STDIN_FILENO, &original) == 0;
    active = true;
    for (const auto signal : deadly) set(signal, on_crash, SA_RESETHAND, nullptr);
    set(SIGTSTP, on_stop, 0, &before_stop);
    set(SIGCONT, on_continue, 0, &before_continue);
    enter();
}

TerminalMode::~TerminalMode() {
    restore();
    for (const auto signal : deadly) set(signal, SIG_DFL, 0, nullptr);
    ::sigaction(SIGTSTP, &before_stop, nullptr);
    ::sigaction(SIGCONT, &before_continue, nullptr);
}

std::string TerminalMode::keys() {
    std::string typed;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (!have_original || !in_foreground()) return typed;
    while (::poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0) {
        char buffer[64];
        const auto got = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got <= 0) break;
        typed.append(buffer, static_cast<std::size_t>(got));
    }
    return typed;
}

bool TerminalMode::resumed() {
    return went_on.exchange(false);
}

bool TerminalMode::in_foreground() {
    return ::tcgetpgrp(STDOUT_FILENO) == ::getpgrp();
}

bool TerminalMode::look_around() {
    const auto front = in_foreground();
    // `fg` of a job that ran in the background sends no SIGCONT.
    if (front && was_behind) on_continue(SIGCONT);
    was_behind = !front;
    return front;
}

void TerminalMode::restore() {
    if (active.exchange(false)) leave();
}

}  // namespace cicd::cli
