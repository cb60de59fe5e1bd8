#include "common/job/job_directory.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "common/job/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

namespace cicd::job {
namespace {

constexpr std::size_t largest_document = 64u << 20;

template <class T>
Result<std::optional<T>> read_document(const std::filesystem::path& path) {
    CICD_TRY(const auto text, read_whole(path, largest_document));
    if (!text) return std::optional<T>{};
    auto value = codec::parse_json(*text);
    if (!value) return std::move(value.error()).within(path.string());
    auto decoded = codec::decode<T>(*value);
    if (!decoded) return std::move(decoded.error()).within(path.string());
    return std::optional<T>(std::move(*decoded));
}

int read_pid(const Paths& paths) {
    const auto text = read_whole(paths.pid(), 4096);
    int pid = 0;
    if (text && *text) std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), pid);
    return pid;
}

}  // namespace

Result<void> write_spec(const Paths& paths, const model::JobSpec& spec) {
    return write_atomically(paths.spec(), codec::to_json(codec::encode(spec)) + "\n");
}

Result<model::JobSpec> read_spec(const Paths& paths) {
    CICD_TRY(auto spec, read_document<model::JobSpec>(paths.spec()));
    if (!spec) return not_found("JOB_008", paths.spec().string() + " does not exist", "a job directory needs a spec.json");
    return std::move(*spec);
}

Result<void> write_exit(const Paths& paths, const model::JobExit& exit) {
    // Not durable: who loses power before the daemon has stored the end loses a job that nobody was told to have ended.
    return write_atomically(paths.exit(), codec::to_json(codec::encode(exit)) + "\n");
}

Result<std::optional<model::JobExit>> read_exit(const Paths& paths) {
    return read_document<model::JobExit>(paths.exit());
}

Result<void> write_cancel(const Paths& paths, model::EndReason reason, std::string_view message) {
    return write_atomically(paths.cancel(), std::string(to_text(reason)) + "\n" + std::string(message) + "\n");
}

std::optional<CancelRequest> read_cancel(const Paths& paths) {
    const auto text = read_whole(paths.cancel(), 1 << 16);
    if (!text || !*text) return std::nullopt;
    const std::string_view all = **text;
    const auto end = all.find('\n');
    CancelRequest request;
    if (const auto reason = from_text<model::EndReason>(trim(all.substr(0, end)))) request.reason = *reason;
    if (end != std::string_view::npos) request.message = std::string(trim(all.substr(end + 1)));
    return request;
}

Result<std::vector<model::JournalEntry>> read_journal(const Paths& paths, std::uint64_t& offset) {
    std::vector<model::JournalEntry> entries;
    const File file(::open(paths.journal().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        if (errno == ENOENT) return entries;
        return system_error("open", paths.journal());
    }
    std::string text;
    char buffer[16384];
    auto at = static_cast<off_t>(offset);
    for (;;) {
        const ssize_t n = ::pread(file.fd(), buffer, sizeof buffer, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read", paths.journal());
        if (n == 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
        at += n;
    }
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        auto value = codec::parse_json(std::string_view(text).substr(begin, end - begin));
        if (!value) return std::move(value.error()).within(paths.journal().string());
        auto entry = codec::decode<model::JournalEntry>(*value);
        if (!entry) return std::move(entry.error()).within(paths.journal().string());
        entries.push_back(std::move(*entry));
        offset += end + 1 - begin;
        begin = end + 1;
    }
    return entries;
}

RunnerStatus runner_status(const Paths& paths) {
    const File file(::open(paths.lock().c_str(), O_RDWR | O_CLOEXEC));
    if (!file.is_open()) return {};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const bool held = ::fcntl(file.fd(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    const int pid = read_pid(paths);
    if (held) return {RunnerLiveness::alive, pid};
    // Nobody came so far, or who did was not wanted.
    if (pid == 0) return {};
    return {RunnerLiveness::dead, pid};
}

}  // namespace cicd::job
