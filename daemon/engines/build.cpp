#include "daemon/engines/build.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "common/job/container.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/ignored.hpp"
#include "daemon/engines/images.hpp"
#include "daemon/engines/sweep.hpp"
#include "daemon/engines/tar.hpp"
#include "daemon/os/inner_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

namespace cicd::engines {
namespace {

namespace fs = std::filesystem;

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

void print(const std::string& text) {
    (void)std::fputs(to_valid_utf8(text).c_str(), stdout);
    (void)std::fflush(stdout);
}

std::string contents(int fd) {
    struct stat facts {};
    if (::fstat(fd, &facts) != 0 || facts.st_size > (4 << 20)) return {};
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    return ::pread(fd, text.data(), text.size(), 0) == facts.st_size ? text : std::string();
}

/// The folder that is the context, wherever links in the workspace lead: never out of it.
Result<std::string> context_folder(const job::BuildRequest& request, os::Fd& folder) {
    folder = os::open_in_root(job::build_workspace_fd, request.context.empty() ? "." : request.context, O_PATH | O_DIRECTORY);
    if (!folder) return invalid("JOB_002", "the workspace has no folder '" + request.context + "' to build in");
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(folder.get());
}

Result<std::string> file_of(const job::BuildRequest& request, const os::Fd& folder) {
    const auto has = [&](const std::string& name) { return static_cast<bool>(os::open_in_root(folder.get(), name, O_PATH)); };
    if (!request.file.empty())
        return has(request.file) ? Result<std::string>(request.file) : Result<std::string>(invalid("JOB_002", "'" + request.context + "' has no file '" + request.file + "'"));
    for (const char* usual : {"Dockerfile", "Containerfile"})
        if (has(usual)) return std::string(usual);
    return invalid("JOB_002", "'" + request.context + "' has neither Dockerfile nor Containerfile", "name it: with: {file: …}");
}

Result<Ignored> ignored_in(const os::Fd& folder, const std::string& file) {
    for (const auto& name : {file + ".dockerignore", std::string(".dockerignore")}) {
        const auto found = os::open_in_root(folder.get(), name, O_RDONLY | O_NONBLOCK);
        if (found) return Ignored::parse(contents(found.get()));
    }
    return Ignored();
}

/// What the engine is sent. The Dockerfile always is: it may be ignored only by what is copied.
Result<Tar> context_of(const std::string& path, const os::Fd& folder, const std::string& file) {
    CICD_TRY(const auto ignored, ignored_in(folder, file));
    if (ignored.empty()) return Tar::of(path);
    std::vector<std::string> wanted;
    std::error_code error;
    const fs::path top = path + "/.";
    for (fs::recursive_directory_iterator it(top, error), end; !error && it != end; it.increment(error)) {
        auto name = it->path().lexically_relative(top).string();
        const bool is_out = ignored.excludes(name) && name != fs::path(file).lexically_normal();
        if (is_out && it->is_directory(error) && !it->is_symlink(error) && !ignored.has_exceptions() && !fs::path(file).lexically_normal().string().starts_with(name + "/"))
            it.disable_recursion_pending();
        if (!is_out) wanted.push_back(std::move(name));
    }
    if (error) return unavailable("ENGINE_003", "the files could not be read: " + error.message());
    return Tar::of(path, wanted);
}

std::string target_of(const job::BuildRequest& request, const std::string& file) {
    std::string target = "/build?rm=true&forcerm=true&dockerfile=" + encoded(file);
    for (const auto& tag : request.tags) target += "&t=" + encoded(tag);
    if (!request.network.empty()) target += "&networkmode=" + encoded(request.network);
    if (!request.target.empty()) target += "&target=" + encoded(request.target);
    Object arguments;
    for (const auto& [name, value] : request.arguments) arguments.set(name, value);
    Object labels;
    for (const auto& [name, value] : request.labels) labels.set(name, value);
    if (!labels.empty()) target += "&labels=" + encoded(codec::to_json(labels));
    if (!arguments.empty()) target += "&buildargs=" + encoded(codec::to_json(arguments));
    return target;
}

}  // namespace

Result<std::string> build(Engine& engine, const job::BuildRequest& request) {
    os::Fd folder;
    CICD_TRY(const auto path, context_folder(request, folder));
    CICD_TRY(const auto file, file_of(request, folder));
    CICD_TRY(auto tar, context_of(path, folder, file));
    std::string image;
    CICD_CHECK(engine.stream("POST", target_of(request, file), [&](const Value& line) {
        if (line["stream"].is_string()) print(line["stream"].as_string());
        else if (line["status"].is_string() && !line["id"].is_string()) print(line["status"].as_string() + "\n");
        if (const auto& id = line["aux"]["ID"]; id.is_string()) image = id.as_string();
        // Podman says it as its last line.
        else if (const auto said = std::string(trim(text_of(line["stream"]))); said.size() == 64 && said.find_first_not_of("0123456789abcdef") == std::string::npos)
            image = "sha256:" + said;
        return true;
    }, {{"Content-Type", "application/x-tar"}}, [&] { return tar.read(); }));
    if (image.empty()) return unavailable("ENGINE_003", engine.name() + " did not say which image it built");
    return image;
}

namespace {

Result<std::string> push(Engine& engine, const std::string& tag, const std::string& login) {
    print("pushing " + tag + "\n");
    std::string digest;
    const auto [name, version, header] = push_parts(tag, login);
    CICD_CHECK(engine.stream("POST", "/images/" + name + "/push?tag=" + version, [&](const Value& line) {
        if (const auto& told = line["aux"]["Digest"]; told.is_string()) digest = told.as_string();
        return true;
    }, {{"X-Registry-Auth", header}}));
    return digest;
}

Result<job::BuildAnswer> build_and_push(const job::BuildRequest& request) {
    CICD_TRY(auto engine, find_engine(request.engine, MayStart::yes));
    print("building with " + engine.name() + "\n");
    job::BuildAnswer answer;
    CICD_TRY(answer.image, build(engine, request));
    CICD_TRY(const auto found, find_image(engine, request.tags.empty() ? answer.image : request.tags.front()));
    answer.digest = found ? found->digest : answer.image;
    if (request.push)
        for (const auto& tag : request.tags) {
            CICD_TRY(const auto digest, push(engine, tag, request.login));
            if (!digest.empty()) answer.digest = digest;
        }
    return answer;
}

}  // namespace

int build_image() {
    ::signal(SIGPIPE, SIG_IGN);
    auto answer = build_and_push(job::read_build_request(contents(job::build_request_fd)));
    const job::BuildAnswer failed{"", "", answer ? "" : answer.error().message + (answer.error().hint.empty() ? "" : " (" + answer.error().hint + ")")};
    const auto text = job::to_text(answer ? *answer : failed);
    return ::pwrite(job::build_answer_fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) && answer ? 0 : 1;
}

}  // namespace cicd::engines
