#include "daemon/app/logging.hpp"
#include "daemon/app/service_manager.hpp"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cicd;
using namespace cicd::app;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "cicd-log-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

std::string read(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// Standard error is this file for as long as it lives.
class StderrTo {
public:
    explicit StderrTo(const fs::path& file) : kept_(::dup(STDERR_FILENO)) {
        const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
        ::dup2(fd, STDERR_FILENO);
        ::close(fd);
    }
    ~StderrTo() {
        ::dup2(kept_, STDERR_FILENO);
        ::close(kept_);
    }

private:
    int kept_;
};

}  // namespace

TEST_CASE("a line is key=value, quoted where it has to be") {
    CHECK(log_line("ready") == "msg=ready");
    CHECK(log_line("it runs", {{"pid", "7"}, {"path", "/a b"}}) == "msg=\"it runs\" pid=7 path=\"/a b\"");
    CHECK(quoted_where_needed("a\"b\\c\nd") == "\"a\\\"b\\\\c\\nd\"");
    CHECK(quoted_where_needed("") == "\"\"");
    CHECK(quoted_where_needed("a=b") == "\"a=b\"");
    CHECK(quoted_where_needed("\x1b[31m") == "\" [31m\"");
}

TEST_CASE("a log file has times and levels, and its size is bounded") {
    const Folder folder;
    const auto file = folder.path / "cicdd.log";
    REQUIRE(start_logging({"info", file}).has_value());
    spdlog::info("plain words");
    spdlog::warn(log_line("with fields", {{"run", "run-1"}}));
    spdlog::debug("not at this level");
    const auto text = read(file);
    CHECK(text.starts_with("time=20"));
    CHECK(text.find(" level=info msg=\"plain words\"\n") != std::string::npos);
    CHECK(text.find(" level=warning msg=\"with fields\" run=run-1\n") != std::string::npos);
    CHECK(text.find("not at this level") == std::string::npos);

    REQUIRE(set_log_level("debug").has_value());
    CHECK(log_level() == "debug");
    spdlog::debug("now it is");
    spdlog::default_logger()->flush();
    CHECK(read(file).find("now it is") != std::string::npos);
    CHECK(set_log_level("loud").error().kind == ErrorKind::invalid);
    CHECK(log_level() == "debug");

    const std::string long_line(100'000, 'x');
    for (int i = 0; i < 600; ++i) spdlog::info(long_line);
    std::uintmax_t total = 0;
    for (const auto& entry : fs::directory_iterator(folder.path)) total += entry.file_size();
    CHECK(total <= (4 * 10 + 1) * (1U << 20U));
    CHECK(fs::exists(folder.path / "cicdd.3.log"));
    CHECK(!fs::exists(folder.path / "cicdd.4.log"));
    REQUIRE(start_logging({"info", {}}).has_value());
}

TEST_CASE("the journal gets levels its way and no times") {
    const Folder folder;
    const auto file = folder.path / "journal";
    {
        const StderrTo redirected(file);
        struct stat facts {};
        REQUIRE(::fstat(STDERR_FILENO, &facts) == 0);
        const auto stream = std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
        CHECK(is_journal(STDERR_FILENO, stream.c_str()));
        CHECK(!is_journal(STDERR_FILENO, "1:2"));
        CHECK(!is_journal(STDERR_FILENO, nullptr));
        ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
        REQUIRE(start_logging({"info", {}}).has_value());
        spdlog::warn("careful");
        spdlog::error("bad");
        ::unsetenv("JOURNAL_STREAM");
        REQUIRE(start_logging({"info", {}}).has_value());
    }
    CHECK(read(file) == "<4>msg=careful\n<3>msg=bad\n");
}

TEST_CASE("the service manager is told where it asks to be") {
    const Folder folder;
    const auto path = (folder.path / "notify").string();
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    tell_service_manager("READY=1");
    ::unsetenv("NOTIFY_SOCKET");
    tell_service_manager("nobody asks");
    char text[64] = {};
    CHECK(::recv(fd, text, sizeof text, MSG_DONTWAIT) == 7);
    CHECK(std::string(text) == "READY=1");
    CHECK(::recv(fd, text, sizeof text, MSG_DONTWAIT) < 0);
    ::close(fd);
}
