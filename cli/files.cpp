#include "cli/files.hpp"

#include <unistd.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cicd::cli {
namespace {

constexpr std::size_t most_bytes = 16U << 20U;

Error file_error(const std::string& what, const std::filesystem::path& file, int number) {
    auto message = what + " " + file.string() + ": " + std::strerror(number);
    if (number == ENOENT || number == ENOTDIR) return not_found("CLI_005", std::move(message));
    return invalid("CLI_003", std::move(message));
}

Result<std::string> read_open(int fd, const std::filesystem::path& name) {
    std::string text;
    char buffer[65536];
    for (;;) {
        const auto got = ::read(fd, buffer, sizeof buffer);
        if (got == 0) return text;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return file_error("cannot read", name, errno);
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > most_bytes) return invalid("CLI_003", name.string() + " is larger than 16 MiB");
    }
}

}  // namespace

std::optional<std::filesystem::path> repository_root(const std::filesystem::path& directory) {
    std::error_code fault;
    for (auto at = std::filesystem::absolute(directory, fault).lexically_normal(); !at.empty(); at = at.parent_path()) {
        if (std::filesystem::exists(at / ".git", fault)) return at;
        if (at == at.parent_path()) break;
    }
    return std::nullopt;
}

Result<std::string> read_text(const std::filesystem::path& file) {
    if (file == "-") return read_open(STDIN_FILENO, "standard input");
    const auto fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error("cannot read", file, errno);
    auto text = read_open(fd, file);
    ::close(fd);
    return text;
}

Result<void> write_text(const std::filesystem::path& file, const std::string& text) {
    auto temporary = file.string() + ".XXXXXX";
    const auto fd = ::mkstemp(temporary.data());
    if (fd < 0) return file_error("cannot write", file, errno);
    ::fchmod(fd, 0644);
    std::string_view rest = text;
    int fault = 0;
    while (!rest.empty() && fault == 0) {
        const auto written = ::write(fd, rest.data(), rest.size());
        if (written < 0) {
            fault = errno;
        } else {
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    ::close(fd);
    if (fault == 0 && ::rename(temporary.c_str(), file.c_str()) != 0) fault = errno;
    if (fault == 0) return {};
    ::unlink(temporary.c_str());
    return file_error("cannot write", file, fault);
}

Result<std::string> resolve_value(const std::string& typed) {
    if (typed != "-" && !typed.starts_with('@')) return typed;
    CICD_TRY(auto text, read_text(typed == "-" ? "-" : typed.substr(1)));
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace cicd::cli
