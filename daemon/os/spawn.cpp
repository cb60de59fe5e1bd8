#include "daemon/os/spawn.hpp"

#include "common/base/text.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spaces.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>

namespace cicd::os {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> candidates(const SpawnOptions& options) {
    const std::string& program = options.argv.front();
    if (program.find('/') != std::string::npos) return {program};
    std::string path = "/usr/local/bin:/usr/bin:/bin";
    if (!options.env) {
        if (const char* own = ::getenv("PATH")) path = own;
    } else {
        for (const auto& entry : *options.env)
            if (entry.starts_with("PATH=")) path = entry.substr(5);
    }
    std::vector<std::string> list;
    for (const auto& folder : split(path, ':')) list.push_back((folder.empty() ? "." : folder) + "/" + program);
    return list;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizers keep one return address for vfork, so one inside another returns to the wrong place. They get a real
// fork.
int fork_child() { return ::fork(); }
constexpr bool always_apart = true;
#else
// vfork: no page tables are copied, and we go on only when the program runs or has failed. A macro, because a function
// that called it must not return in the child.
#define fork_child vfork
constexpr bool always_apart = false;
#endif

/// All that the child needs, prepared before: between vfork and exec it shares our memory and must not allocate.
struct Prepared {
    std::vector<char*> argv, env, programs;
    const char* cwd = nullptr;
    std::vector<std::pair<int, int>> fds;
    bool new_session = false, detached = false;
    bool apart = always_apart;  ///< the child has memory of its own
    int death_signal = 0;
    std::vector<int> groups;
    std::vector<std::pair<int, std::uint64_t>> limits;
    char oom_score[8] = {};
    EnclosureEntry* enclosure = nullptr;
    int users = -1, network = -1;
    int null = -1, highest = 3;
    struct Report* report = nullptr;
};

/// What the child tells, in memory that it shares with us.
struct Report {
    volatile int grandchild = 0;
    volatile SpawnFailure::Stage failed_stage = SpawnFailure::Stage::none;
    volatile int failed_errno = 0;
    EnclosureFailure enclosure;
};

[[noreturn]] void give_up(Prepared& p, SpawnFailure::Stage stage) {
    p.report->failed_errno = errno;
    p.report->failed_stage = stage;
    ::_exit(127);
}

void place_descriptors(Prepared& p) {
    // First above everything that is in use, then down to their numbers: no source is overwritten by another's target.
    for (std::size_t i = 0; i < p.fds.size(); ++i) {
        const int high = ::fcntl(p.fds[i].first, F_DUPFD_CLOEXEC, p.highest);
        if (high < 0) give_up(p, SpawnFailure::Stage::setup);
        p.fds[i].first = high;
    }
    // What is not given stays ours, also what somebody who started us forgot to close.
    (void)::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    for (int standard = 0; standard < 3; ++standard) {
        bool given = false;
        for (const auto& [from, to] : p.fds) given = given || to == standard;
        if (!given && ::dup2(p.null, standard) < 0) give_up(p, SpawnFailure::Stage::setup);
    }
    for (const auto& [from, to] : p.fds)
        if (::dup2(from, to) < 0) give_up(p, SpawnFailure::Stage::setup);
}

void enter_groups(Prepared& p) {
    for (const int group : p.groups)
        if (::write(group, "0", 1) != 1) give_up(p, SpawnFailure::Stage::setup);
    if (p.oom_score[0] == 0) return;
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    (void)!::write(file, p.oom_score, std::strlen(p.oom_score));
    ::close(file);
}

void check_enclosure(Prepared& p, EnclosureFailure failed) {
    if (!failed.what) return;
    p.report->enclosure = failed;
    give_up(p, SpawnFailure::Stage::enclosure);
}

[[noreturn]] void become(Prepared& p) {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
    if (p.new_session && !p.detached) ::setsid();
    if (p.death_signal != 0) ::prctl(PR_SET_PDEATHSIG, p.death_signal);
    enter_groups(p);
    if (p.enclosure) check_enclosure(p, p.enclosure->enter());
    place_descriptors(p);
    if (p.cwd && ::chdir(p.cwd) != 0) give_up(p, SpawnFailure::Stage::directory);
    if (p.enclosure) check_enclosure(p, p.enclosure->close_behind());
    // Another uid makes the kernel forget it.
    if (p.enclosure && p.death_signal != 0) ::prctl(PR_SET_PDEATHSIG, p.death_signal);
    // In the user namespace that counts: RLIMIT_NPROC then is about the processes in it.
    for (const auto& [kind, value] : p.limits) {
        const rlimit limit{value, value};
        if (::setrlimit(static_cast<__rlimit_resource_t>(kind), &limit) != 0) give_up(p, SpawnFailure::Stage::setup);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (p.enclosure) {
        ::execveat(p.enclosure->program(), "", p.argv.data(), p.env.data(), AT_EMPTY_PATH);
        give_up(p, SpawnFailure::Stage::program);
    }
    int worst = ENOENT;
    for (char* program : p.programs) {
        if (!program) break;
        ::execve(program, p.argv.data(), p.env.data());
        if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    }
    errno = worst;
    give_up(p, SpawnFailure::Stage::program);
}

/// What the child tells: in our memory where it shares that, else in a mapping, with a pipe whose end says that the
/// program runs or has failed.
class SharedReport {
public:
    /// `lowest`: below that, the child puts other descriptors.
    SharedReport(bool apart, int lowest) : apart_(apart) {
        if (!apart_) return;
        void* memory = ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return;
        report_ = new (memory) Report;
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return;
        read_ = Fd(ends[0]);
        write_ = Fd(::fcntl(ends[1], F_DUPFD_CLOEXEC, lowest));
        const int error = errno;
        ::close(ends[1]);
        errno = error;
    }
    /// Else errno says why not.
    [[nodiscard]] bool is_there() const { return !apart_ || write_; }
    ~SharedReport() {
        if (report_ != &own_) ::munmap(report_, sizeof(Report));
    }
    SharedReport(const SharedReport&) = delete;
    SharedReport& operator=(const SharedReport&) = delete;
    Report& get() { return *report_; }
    void await() {
        if (!apart_) return;
        write_ = Fd();
        char byte = 0;
        while (::read(read_.get(), &byte, 1) < 0 && errno == EINTR) {}
    }

private:
    bool apart_;
    Report own_;
    Report* report_ = &own_;
    Fd read_, write_;
};

int become_enclosed(void* prepared) { become(*static_cast<Prepared*>(prepared)); }

constexpr std::size_t stack_size = 128 << 10;

/// A step in between, because a process cannot leave its parent's network and stay its child in one call: what it starts is
/// our child, not its own.
int enter_and_start(void* prepared) {
    auto& p = *static_cast<Prepared*>(prepared);
    if (!enter_network_space(p.users, p.network)) {
        p.report->enclosure = {"cannot enter", p.network >= 0 ? "the network of the services" : "the user namespace"};
        give_up(p, SpawnFailure::Stage::enclosure);
    }
    char* top = static_cast<char*>(__builtin_frame_address(0));
    const int pid = ::clone(become_enclosed, top - stack_size / 2,
                            p.enclosure->flags() | CLONE_PARENT | (p.apart ? 0 : CLONE_VM | CLONE_VFORK) | SIGCHLD, &p);
    if (pid < 0) {
        p.report->enclosure = {"cannot make", "the namespaces"};
        give_up(p, SpawnFailure::Stage::enclosure);
    }
    p.report->grandchild = pid;
    ::_exit(0);
}

/// As vfork, with namespaces; clone(2) wants a stack for the child.
[[gnu::noinline]] int start_enclosed(Prepared& p) {
    constexpr std::size_t size = 2 * stack_size;
    void* stack = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -1;
    const int sharing = (p.apart ? 0 : CLONE_VM | CLONE_VFORK) | SIGCHLD;
    const bool in_between = p.network >= 0 || p.users >= 0;
    const int pid = ::clone(in_between ? enter_and_start : become_enclosed, static_cast<char*>(stack) + size,
                            in_between ? sharing : p.enclosure->flags() | sharing, &p);
    const int error = errno;
    ::munmap(stack, size);
    errno = error;
    return pid;
}

[[gnu::noinline]] int start(Prepared& p) {
    if (p.enclosure) return start_enclosed(p);
    const int pid = fork_child();
    if (pid != 0) return pid;
    if (!p.detached) become(p);
    ::setsid();
    const int second = fork_child();
    if (second == 0) become(p);
    if (second < 0) give_up(p, SpawnFailure::Stage::setup);
    p.report->grandchild = second;
    ::_exit(0);
}

Error describe(const SpawnOptions& options, const Prepared& p) {
    const std::string why = std::strerror(p.report->failed_errno);
    switch (p.report->failed_stage) {
        case SpawnFailure::Stage::directory:
            return internal_error("cannot enter the directory " + options.cwd + ": " + why);
        case SpawnFailure::Stage::program:
            return internal_error("cannot start " + options.argv.front() + ": " + why);
        case SpawnFailure::Stage::enclosure:
            return internal_error(std::string(p.report->enclosure.what) + " " + p.report->enclosure.path + ": " + why);
        case SpawnFailure::Stage::setup:
        case SpawnFailure::Stage::none: break;
    }
    return internal_error("cannot prepare a process for " + options.argv.front() + ": " + why);
}

}  // namespace

Result<int> spawn(const SpawnOptions& options, SpawnFailure* failure) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return last_error("cannot open /dev/null");
    const auto programs = candidates(options);
    Prepared p;
    p.argv = pointers(options.argv);
    p.programs = pointers(programs);
    if (options.env) p.env = pointers(*options.env);
    else for (char** entry = ::environ; ; ++entry) {
        p.env.push_back(*entry);
        if (!*entry) break;
    }
    p.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
    p.fds = options.fds;
    p.new_session = options.new_session;
    p.detached = options.detached;
    p.death_signal = options.death_signal;
    p.groups = options.groups;
    p.limits = options.limits;
    if (options.oom_score > 0) *std::to_chars(p.oom_score, p.oom_score + sizeof p.oom_score - 1, options.oom_score).ptr = 0;
    std::optional<EnclosureEntry> enclosure;
    p.users = options.users;
    p.network = options.network;
    if (options.enclosure) p.enclosure = &enclosure.emplace(*options.enclosure, options.network >= 0);
    p.null = null.get();
    for (const auto& [from, to] : options.fds) p.highest = std::max({p.highest, from + 1, to + 1});

    // No handler of ours may run in the child while it uses our memory.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    // A parent that shares its memory is suspended: the machine would count it as busy for as long as something is awaited.
    p.apart = p.apart || (options.enclosure && options.enclosure->awaited >= 0);
    SharedReport report(p.apart, p.highest);
    p.report = &report.get();
    const int pid = report.is_there() ? start(p) : -1;
    const int fork_errno = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
        errno = fork_errno;
        if (failure && options.enclosure) *failure = {SpawnFailure::Stage::enclosure, fork_errno};
        return last_error("cannot start a process for " + options.argv.front());
    }
    report.await();
    const bool failed = p.report->failed_stage != SpawnFailure::Stage::none;
    const bool shared = options.network >= 0 || options.users >= 0;
    const bool in_between = options.detached || shared;
    if (failed || in_between)
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
    if (failed && shared && p.report->grandchild > 0)
        while (::waitpid(p.report->grandchild, nullptr, 0) < 0 && errno == EINTR) {}
    if (!failed) return in_between ? static_cast<int>(p.report->grandchild) : pid;
    if (failure) *failure = {p.report->failed_stage, p.report->failed_errno};
    return describe(options, p);
}

Error become_program(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
    SpawnOptions options;
    options.argv = argv;
    options.env = env;
    auto arguments = pointers(argv), variables = pointers(env);
    int worst = ENOENT;
    for (const auto& program : candidates(options)) {
        ::execve(program.c_str(), arguments.data(), variables.data());
        if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    }
    errno = worst;
    return last_error("cannot start " + argv.front());
}

}  // namespace cicd::os
