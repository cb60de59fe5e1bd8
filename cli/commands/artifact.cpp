#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"
#include "cli/packing.hpp"
#include "common/codec/codecs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

namespace cicd::cli {
namespace {

constexpr Operand one_artifact[] = {{.name = "ARTIFACT"}};
constexpr Operand some_artifacts[] = {{.name = "ARTIFACT", .many = true}};
constexpr Operand run_or_job[] = {{.name = "RUN|JOB", .required = false, .completes = Completes::run_or_job}};
constexpr Operand upload_operands[] = {{.name = "RUN|JOB", .completes = Completes::run_or_job}, {.name = "NAME"},
                                       {.name = "PATH", .many = true, .completes = Completes::file}};
constexpr Option list_options[] = {{.names = "--name", .value = "NAME", .help = "Only those of this name"},
                                   {.names = "--limit", .value = "N", .help = "At most so many (50)"},
                                   {.names = "--page", .value = "N", .help = "Further pages of that size"}};
constexpr Option download_options[] = {
    {.names = "--to", .value = "FILE", .help = "Where to write it; '-' is stdout", .completes = Completes::file},
    {.names = "--path", .value = "PATH", .help = "Only this file of it"},
    {.names = "--format", .value = "FORMAT", .help = "As an archive, also where it is one file", .choices = "tar|zip|tar.zst"},
    {.names = "--continue", .help = "Go on with a download that broke off"}};
constexpr Option upload_options[] = {
    {.names = "--unpack", .help = "PATH is an archive (tar, tar.gz, tar.zst, tar.xz, zip): keep what it holds"},
    {.names = "--type", .value = "TYPE", .help = "What it is, such as package or model"},
    {.names = "--retention", .value = "TIME", .help = "How long it is kept, such as 30d; for ever by default"}};
constexpr Example list_examples[] = {{"cicdctl artifact list run-3", "what a run left behind"}};
constexpr Example show_examples[] = {{"cicdctl artifact show artifact-7", "its digest and files"}};
constexpr Example download_examples[] = {{"cicdctl artifact download artifact-7", "one file as it is, several as NAME.tar"},
                                         {"cicdctl artifact download artifact-7 --to - | tar -x", "unpacked here"},
                                         {"cicdctl artifact download artifact-7 --format zip", "as NAME.zip"}};
constexpr Example upload_examples[] = {{"cicdctl artifact upload job-7 report report.pdf --retention 30d", "one file, to a job that has ended"},
                                       {"cicdctl artifact upload run-3 site public robots.txt", "a folder and a file, to a run"},
                                       {"cicdctl artifact upload run-3 site site.tar.gz --unpack", "what an archive holds"}};

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    contract::ArtifactFilter filter;
    const auto typed = arguments.operand(0);
    if (is_job_id(typed)) filter.job = typed;
    else if (!typed.empty()) {
        CICD_TRY(filter.run, run_id(session, typed));
    }
    filter.name = arguments.text("--name");
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(const auto page, arguments.number("--page", 1));
    filter.page_size = limit.value_or(50);
    filter.page = page.value_or(1);
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto found, daemon->list_artifacts(filter));
    if (session.structured()) {
        session.print(codec::encode(found));
    } else if (found.data.empty()) {
        session.note("No artifacts.");
    } else {
        print_artifacts(session, found.data);
        if (found.pagination.has_next) session.note("… go on with --page " + std::to_string(filter.page + 1));
    }
    return ExitCode::success;
}

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto artifact, daemon->show_artifact(arguments.operand(0)));
    if (session.structured() || session.output() == Output::name) {
        print_artifact_details(session, artifact, {});
        return ExitCode::success;
    }
    CICD_TRY(const auto files, daemon->artifact_files(artifact.id.str(), 1));
    print_artifact_details(session, artifact, files);
    return ExitCode::success;
}

/// Writes to a file beside the wanted one, which gets its name when it is whole.
Result<ExitCode> download(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto artifact, daemon->show_artifact(arguments.operand(0)));
    client::Download what{arguments.text("--path"), arguments.text("--format"), 0};
    if (!what.path.empty() && !what.format.empty()) return usage_error("one file of it is no archive", "leave out --path or --format");
    auto target = arguments.text("--to");
    if (target.empty()) {
        std::string only = what.path;
        if (only.empty() && what.format.empty() && artifact.files == 1) {
            CICD_TRY(const auto files, daemon->artifact_files(artifact.id.str(), 1));
            bool links = false;
            for (const auto& file : files["data"].as_array()) {
                if (file["type"] == Value("file")) only = file["path"].as_string();
                links |= file["type"] == Value("link");
            }
            if (links) only.clear();
        }
        target = only.empty() ? artifact.name + "." + (what.format.empty() ? "tar" : what.format) : only.substr(only.rfind('/') + 1);
    }
    const bool to_stdout = target == "-";
    // Named by its content, so that nothing of another one is gone on with.
    const auto partial = target + "." + artifact.digest.substr(0, 12) +
                         (what.path.empty() ? "" : "-" + std::to_string(std::hash<std::string>{}(what.path))) + ".part";
    // What is compressed on its way comes anew each time.
    const bool go_on = arguments.has("--continue") && !to_stdout && (what.format.empty() || what.format == "tar");
    struct stat facts {};
    if (go_on && ::stat(partial.c_str(), &facts) == 0) what.offset = static_cast<std::uint64_t>(facts.st_size);
    const int fd = to_stdout ? STDOUT_FILENO : ::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (go_on ? O_APPEND : O_TRUNC), 0644);
    if (fd < 0) return invalid("CLI_002", "cannot write " + partial + ": " + std::strerror(errno));
    std::string failure;
    const auto take = [&](std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::write(fd, bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure = std::strerror(errno), false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    };
    const auto done = daemon->download_artifact(artifact.id.str(), what, take);
    if (!to_stdout) ::close(fd);
    if (!failure.empty()) return invalid("CLI_002", "cannot write " + target + ": " + failure);
    if (!done) return done.error();
    if (!to_stdout && ::rename(partial.c_str(), target.c_str()) != 0)
        return invalid("CLI_002", "cannot rename to " + target + ": " + std::strerror(errno));
    if (!to_stdout) session.console().out(target + "\n");
    return ExitCode::success;
}

/// A job where it is one, else a run.
Result<std::string> owner_of(Session& session, const std::string& typed) {
    if (is_job_id(typed)) return typed;
    return run_id(session, typed);
}

/// From here on it pays to be able to go on after a break.
constexpr std::uint64_t worth_resuming = 4 << 20;

/// One large file: named by where it goes and what it is, so that the same command goes on with what another process began.
Result<model::ArtifactRecord> upload_large(client::Client& daemon, const std::string& owner, const client::Upload& what, const std::string& path,
                                           std::uint64_t length) {
    const std::shared_ptr<const int> file(new int(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), [](const int* fd) {
        if (*fd >= 0) ::close(*fd);
        delete fd;
    });
    struct stat facts {};
    if (*file < 0 || ::fstat(*file, &facts) != 0) return invalid("CLI_002", "cannot read " + path + ": " + std::strerror(errno));
    const auto text = owner + "\n" + what.name + "\n" + what.path + "\n" + std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) + ":" +
                      std::to_string(facts.st_size) + ":" + std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec);
    const auto key = "cicdctl-" + std::to_string(std::hash<std::string>{}(text)) + "-" + std::to_string(std::hash<std::string>{}("again " + text));
    return daemon.upload_artifact_resumably(owner, what, key, length, [&](std::uint64_t offset) -> client::BodySource {
        return [file, length, path, at = offset]() mutable -> Result<std::string> {
            std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(length - at, 256 << 10)), '\0');
            if (piece.empty()) return piece;
            const ssize_t n = ::pread(*file, piece.data(), piece.size(), static_cast<off_t>(at));
            if (n <= 0) return invalid("CLI_002", path + " became shorter while it was uploaded");
            piece.resize(static_cast<std::size_t>(n));
            at += piece.size();
            return piece;
        };
    });
}

Result<ExitCode> upload(Session& session, const Arguments& arguments) {
    client::Upload what{arguments.operand(1), "", arguments.text("--type"), arguments.text("--retention"), arguments.has("--unpack")};
    const std::vector<std::string> paths(arguments.operands.begin() + 2, arguments.operands.end());
    const bool is_one = paths.size() == 1 && !std::filesystem::is_directory(paths.front());
    if (what.unpack && !is_one) return usage_error("--unpack takes one archive", "leave it out to upload folders and several files");
    if (is_one && !what.unpack && paths.front() != "-") what.path = std::filesystem::path(paths.front()).filename().string();
    auto packing = is_one ? Packing::file(paths.front()) : Packing::archive(paths);
    if (!packing) return packing.error();
    // Folders travel as an archive.
    what.unpack |= !is_one;
    CICD_TRY(const auto owner, owner_of(session, arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    const bool resumes = is_one && paths.front() != "-" && packing->length().value_or(0) >= worth_resuming;
    CICD_TRY(const auto artifact, resumes ? upload_large(*daemon, owner, what, paths.front(), *packing->length())
                                          : daemon->upload_artifact(owner, what, packing->length(), [&] { return packing->next(); }));
    print_artifacts(session, {artifact});
    return ExitCode::success;
}

Result<ExitCode> remove(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const bool sure, session.confirm("Delete " + std::to_string(arguments.operands.size()) + " artifact(s) for ever?"));
    if (!sure) return ExitCode::success;
    for (const auto& id : arguments.operands) {
        CICD_CHECK(daemon->remove_artifact(id));
        session.console().out(id + "\n");
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command artifact_group{.name = "artifact", .summary = "Artifacts: list, show, download, upload, rm"};
constinit const Command artifact_list{.name = "artifact list", .summary = "List artifacts, of a run, a job or all", .operands = run_or_job,
                                      .options = list_options, .examples = list_examples, .handler = list};
constinit const Command artifact_show{.name = "artifact show", .summary = "Show an artifact and what it holds", .operands = one_artifact,
                                      .examples = show_examples, .handler = show};
constinit const Command artifact_download{.name = "artifact download", .summary = "Write an artifact, or one file of it", .operands = one_artifact,
                                          .options = download_options, .examples = download_examples, .handler = download};
constinit const Command artifact_upload{.name = "artifact upload", .summary = "Add files to a run or job that has ended", .operands = upload_operands,
                                        .options = upload_options, .examples = upload_examples, .handler = upload};
constinit const Command artifact_remove{.name = "artifact rm", .summary = "Delete artifacts", .operands = some_artifacts, .handler = remove};

}  // namespace cicd::cli
