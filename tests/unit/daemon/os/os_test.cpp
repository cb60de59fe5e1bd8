#include "daemon/os/files.hpp"
#include "daemon/os/inotify.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace cicd;

namespace {

struct Directory {
    std::filesystem::path path;
    Directory() {
        char name[] = "/tmp/cicd-os-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Directory() { (void)os::remove_all(path); }
};

std::string read_all(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    return text;
}

std::string output_of(os::SpawnOptions options) {
    auto pipe = os::make_pipe();
    options.fds.emplace_back(pipe->write.get(), 1);
    const auto pid = os::spawn(options);
    REQUIRE(pid.has_value());
    pipe->write.reset();
    auto text = read_all(pipe->read.get());
    if (!options.detached) ::waitpid(*pid, nullptr, 0);
    return text;
}

bool ended(int pid) {
    const auto facts = os::process_facts(pid);
    return !facts || facts->state == 'Z';
}

void wait_for_end(int pid) {
    const auto watch = os::pidfd_open(pid);
    if (!watch) return;
    pollfd end{watch->get(), POLLIN, 0};
    CHECK(::poll(&end, 1, 10'000) == 1);
}

}  // namespace

TEST_CASE("a program gets its arguments, environment, directory and descriptors") {
    CHECK(output_of({.argv = {"sh", "-c", "echo $1 $X; pwd", "sh", "a b"},
                     .env = std::vector<std::string>{"X=y", "PATH=/usr/bin:/bin"},
                     .cwd = "/usr"}) == "a b y\n/usr\n");
    CHECK(output_of({.argv = {"/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"}}) == "0 1 2 3 ");
}

TEST_CASE("descriptors may trade places") {
    auto a = os::make_pipe(), b = os::make_pipe();
    const auto pid = os::spawn({.argv = {"/bin/sh", "-c", "echo one >&" + std::to_string(a->write.get()) + "; echo two >&" +
                                                             std::to_string(b->write.get())},
                                .fds = {{a->write.get(), b->write.get()}, {b->write.get(), a->write.get()}}});
    REQUIRE(pid.has_value());
    ::waitpid(*pid, nullptr, 0);
    a->write.reset();
    b->write.reset();
    CHECK(read_all(a->read.get()) == "two\n");
    CHECK(read_all(b->read.get()) == "one\n");
}

TEST_CASE("what keeps a program from starting is told") {
    os::SpawnFailure failure;
    CHECK(!os::spawn({.argv = {"no-such-program-anywhere"}}, &failure).has_value());
    CHECK(failure.stage == os::SpawnFailure::Stage::program);
    CHECK(failure.errno_value == ENOENT);
    const auto directory = os::spawn({.argv = {"true"}, .cwd = "/no/such/place"}, &failure);
    CHECK(failure.stage == os::SpawnFailure::Stage::directory);
    CHECK(directory.error().message == "cannot enter the directory /no/such/place: No such file or directory");
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a detached program lives in a session of its own and is not our child") {
    auto pipe = os::make_pipe();
    const auto pid = os::spawn({.argv = {"/bin/sh", "-c", "echo $$; ps -o sid= $$; exec sleep 100"},
                                .fds = {{pipe->write.get(), 1}}, .detached = true});
    REQUIRE(pid.has_value());
    pipe->write.reset();
    CHECK(::waitpid(*pid, nullptr, WNOHANG) == -1);
    const auto facts = os::process_facts(*pid);
    REQUIRE(facts);
    CHECK(facts->parent != ::getpid());
    CHECK(facts->session != ::getsid(0));
    char first[64] = {};
    CHECK(::read(pipe->read.get(), first, sizeof first - 1) > 0);  // waits until the program has said its first line
    ::kill(*pid, SIGKILL);
    CHECK(std::string(first).starts_with(std::to_string(*pid) + "\n"));
}

TEST_CASE("a pidfd tells the end and takes signals") {
    const auto pid = os::spawn({.argv = {"sleep", "100"}});
    const auto fd = os::pidfd_open(*pid);
    REQUIRE(fd.has_value());
    pollfd end{fd->get(), POLLIN, 0};
    CHECK(::poll(&end, 1, 0) == 0);
    REQUIRE(os::pidfd_send_signal(fd->get(), SIGTERM).has_value());
    CHECK(::poll(&end, 1, 10'000) == 1);
    int status = 0;
    ::waitpid(*pid, &status, 0);
    CHECK(WTERMSIG(status) == SIGTERM);
    CHECK(os::pidfd_send_signal(fd->get(), SIGTERM).error().kind == ErrorKind::not_found);
    CHECK(os::pidfd_open(*pid).error().kind == ErrorKind::not_found);
}

TEST_CASE("a whole tree is found and killed, sessions of its own included") {
    auto pipe = os::make_pipe();
    const auto pid = os::spawn({.argv = {"/bin/sh", "-c", "trap '' TERM; setsid sleep 100 & sleep 100 & echo up; wait"},
                                .fds = {{pipe->write.get(), 1}}});
    pipe->write.reset();
    char buffer[8];
    REQUIRE(::read(pipe->read.get(), buffer, 3) == 3);
    auto tree = os::descendants(*pid);
    CHECK(tree.size() == 2);
    os::signal_tree(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    CHECK(read_all(pipe->read.get()).empty());
    for (const int child : tree) {
        wait_for_end(child);
        CHECK(ended(child));
    }
}

TEST_CASE("file events arrive on a descriptor that can be waited for") {
    Directory directory;
    auto watch = os::Inotify::open();
    REQUIRE(watch.has_value());
    CHECK(watch->read()->empty());
    REQUIRE(watch->add(directory.path, IN_CREATE | IN_MOVED_TO).has_value());
    std::ofstream(directory.path / "exit.tmp") << "x";
    std::filesystem::rename(directory.path / "exit.tmp", directory.path / "exit");
    pollfd ready{watch->fd(), POLLIN, 0};
    CHECK(::poll(&ready, 1, 10'000) == 1);
    const auto events = watch->read();
    REQUIRE(events->size() == 2);
    CHECK(events->back().name == "exit");
    CHECK(events->back().mask == IN_MOVED_TO);
    CHECK(watch->add(directory.path / "nothing", IN_CREATE).error().kind == ErrorKind::not_found);
}

TEST_CASE("a lock is held once and given back") {
    Directory directory;
    const auto path = directory.path / "lock";
    {
        const auto lock = os::FileLock::try_take(path);
        REQUIRE(lock.has_value());
        CHECK(os::FileLock::try_take(path).error().kind == ErrorKind::conflict);
    }
    CHECK(os::FileLock::try_take(path).has_value());
}

TEST_CASE("trees are removed whole, read-only directories too, links not followed") {
    Directory directory;
    const auto tree = directory.path / "tree", kept = directory.path / "kept";
    std::filesystem::create_directories(tree / "a/b/c");
    std::filesystem::create_directory(kept);
    std::ofstream(kept / "file") << "x";
    std::ofstream(tree / "a/b/c/file") << "x";
    std::filesystem::create_directory_symlink(kept, tree / "a/link");
    ::chmod((tree / "a/b/c").c_str(), 0500);
    ::chmod((tree / "a/b").c_str(), 0);
    REQUIRE(os::remove_all(tree).has_value());
    CHECK(!std::filesystem::exists(tree));
    CHECK(std::filesystem::exists(kept / "file"));
    CHECK(os::remove_all(tree).has_value());
}

TEST_CASE("a durable write replaces a file as a whole") {
    Directory directory;
    const auto path = directory.path / "file";
    REQUIRE(os::write_durably(path, "one", 0600).has_value());
    REQUIRE(os::write_durably(path, "two", 0600).has_value());
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    CHECK(text.str() == "two");
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_read) == std::filesystem::perms::none);
}

TEST_CASE("packets carry descriptors and keep their bounds") {
    auto sockets = os::make_socket_pair();
    const auto file = os::memory_file("test", "hello");
    REQUIRE(os::send_packet(sockets->first.get(), "ab", 2, {file->get()}).has_value());
    REQUIRE(os::send_packet(sockets->first.get(), "c", 1).has_value());
    const auto first = os::receive_packet(sockets->second.get());
    CHECK(first->data == "ab");
    REQUIRE(first->fds.size() == 1);
    char text[6] = {};
    CHECK(::pread(first->fds[0].get(), text, 5, 0) == 5);
    CHECK(std::string(text) == "hello");
    CHECK(os::receive_packet(sockets->second.get())->data == "c");
    sockets->first.reset();
    CHECK(os::receive_packet(sockets->second.get())->data.empty());
    CHECK(!os::send_packet(sockets->second.get(), "x", 1).has_value());
}
