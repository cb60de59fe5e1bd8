#include "daemon/os/inotify.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace cicd;
using os::Inotify;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "cicd-inotify-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

void append(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::app) << text; }

/// Waits on the descriptor, as an event loop would, until an event of that watch and name comes.
bool comes(Inotify& watcher, int watch, const std::string& name, std::uint32_t mask) {
    for (int round = 0; round < 200; ++round) {
        pollfd entry{watcher.fd(), POLLIN, 0};
        if (::poll(&entry, 1, 10'000) <= 0) return false;
        const auto events = watcher.read();
        REQUIRE(events.has_value());
        for (const auto& event : *events)
            if (event.watch == watch && event.name == name && (event.mask & mask)) return true;
    }
    return false;
}

Inotify opened(bool with_inotify) {
    auto watcher = with_inotify ? Inotify::open() : Inotify::open_without_inotify();
    REQUIRE(watcher.has_value());
    CHECK(watcher->shortage().empty() == with_inotify);
    return std::move(*watcher);
}

}  // namespace

TEST_CASE("growing files and arriving ones are told of, also where they have to be looked at") {
    for (const bool with_inotify : {true, false}) {
        INFO("with inotify: ", with_inotify);
        const Folder folder;
        append(folder.path / "journal", "one\n");
        auto watcher = opened(with_inotify);
        const auto journal = watcher.add(folder.path / "journal", IN_MODIFY);
        const auto directory = watcher.add(folder.path, IN_MOVED_TO);
        REQUIRE(journal.has_value());
        REQUIRE(directory.has_value());
        CHECK(*journal != *directory);
        append(folder.path / "journal", "two\n");
        CHECK(comes(watcher, *journal, "", IN_MODIFY));
        append(folder.path / "exit.tmp", "0");
        fs::rename(folder.path / "exit.tmp", folder.path / "exit");
        CHECK(comes(watcher, *directory, "exit", IN_MOVED_TO));

        watcher.remove(*journal);
        append(folder.path / "journal", "three\n");
        append(folder.path / "again.tmp", "0");
        fs::rename(folder.path / "again.tmp", folder.path / "again");
        pollfd entry{watcher.fd(), POLLIN, 0};
        bool told = false, removed_told = false;
        while (!told && ::poll(&entry, 1, 10'000) > 0)
            for (const auto& event : *watcher.read()) {
                told |= event.name == "again";
                removed_told |= event.watch == *journal && (event.mask & IN_MODIFY);
            }
        CHECK(told);
        CHECK_FALSE(removed_told);
    }
}

TEST_CASE("an index that grows in a watched folder is told of by its name") {
    for (const bool with_inotify : {true, false}) {
        const Folder folder;
        auto watcher = opened(with_inotify);
        const auto watch = watcher.add(folder.path, IN_MODIFY | IN_CREATE);
        append(folder.path / "log.idx", "x");
        CHECK(comes(watcher, *watch, "log.idx", IN_CREATE | IN_MODIFY));
        append(folder.path / "log.idx", "y");
        CHECK(comes(watcher, *watch, "log.idx", IN_MODIFY));
    }
}

TEST_CASE("what is not there cannot be watched") {
    for (const bool with_inotify : {true, false}) {
        auto watcher = opened(with_inotify);
        CHECK(watcher.add("/no/such/file", IN_MODIFY).error().kind == ErrorKind::not_found);
    }
}

TEST_CASE("nothing is looked at any more when nothing is watched") {
    const Folder folder;
    auto watcher = opened(false);
    const auto watch = watcher.add(folder.path, IN_CREATE);
    watcher.remove(*watch);
    pollfd entry{watcher.fd(), POLLIN, 0};
    CHECK(::poll(&entry, 1, 300) == 0);
}
