#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/render/diagnostics.hpp"
#include "cli/render/findings.hpp"
#include "cli/render/table.hpp"
#include "cli/session.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/convert.hpp"

#include <algorithm>
#include <iterator>

namespace cicd::cli {
namespace {

namespace fs = std::filesystem;
using pipeline::Carried;

constexpr Operand operands[] = {{.name = "FILE", .many = true, .completes = Completes::file}};
constexpr Option options[] = {
    {.names = "--to", .value = "DIR", .help = "Write there, one file for each pipeline; else they are printed. --output DIR is the same", .completes = Completes::directory},
    {.names = "--audit", .help = "Only tell how much of each file (or of those in a folder) can be carried over"},
};
constexpr Example examples[] = {
    {"cicdctl import .github/workflows/ci.yml > .cicd.yaml", "our YAML; what is left to do stands in its comments"},
    {"cicdctl import .github/workflows/*.yml --output .cicd/pipelines", "all of them, as files"},
    {"cicdctl import .gitlab-ci.yml -o json", "the report and the pipeline as JSON"},
    {"cicdctl import --audit .", "a table for a whole tree"}};

struct Imported {
    std::string file, text, written;
    std::string part;        ///< of a file that holds several pipelines
    model::Strings others;   ///< the other ones
    std::vector<Diagnostic> problems;
    pipeline::Converted converted;
    bool ok = false;
};

/// The one that is checked out; rules of a pipeline may ask for it.
std::string branch_of(const fs::path& root) {
    constexpr std::string_view prefix = "ref: refs/heads/";
    const auto head = read_text(root / ".git/HEAD");
    return head && head->starts_with(prefix) ? std::string(trim(std::string_view(*head).substr(prefix.size()))) : "main";
}

/// Where the repository came from; rules of a pipeline may ask for its project.
std::string remote_of(const fs::path& root) {
    const auto text = read_text(root / ".git/config");
    if (!text) return "";
    bool inside = false;
    for (const auto& row : split(*text, '\n')) {
        const auto line = trim(row);
        if (line.starts_with('[')) inside = line == "[remote \"origin\"]";
        else if (inside && line.starts_with("url")) return std::string(trim(line.substr(std::min(line.find('=') + 1, line.size()))));
    }
    return "";
}

Result<model::Strings> names_in(const fs::path& folder) {
    model::Strings names;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(folder, fault)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

Result<Imported> import_part(const std::string& file, const std::string& original, const std::string& part) {
    Imported imported{.file = file, .text = original, .part = part};
    std::error_code fault;
    const auto whole = fs::absolute(file, fault).lexically_normal();
    const auto root = repository_root(whole.parent_path()).value_or(whole.parent_path());
    pipeline::Originals originals{{file, imported.text}};
    const auto read = [&](const std::string& path) {
        auto text = read_text(root / path);
        if (text) originals.emplace(path, *text);
        return text;
    };
    const auto list = [&](const std::string& folder) { return names_in(root / folder); };
    const auto dialect = pipeline::guess_dialect(whole.string(), imported.text);
    pipeline::FrontOptions asked{.event = dialect == model::Dialect::github ? "manual" : "push", .read_file = read, .list = list, .part = part};
    asked.facts.every_run = true;
    asked.facts.event.branch = asked.facts.source.branch = branch_of(root);
    asked.facts.source.name = root.filename().string();
    asked.facts.source.remote = remote_of(root);
    auto front = pipeline::read_front(dialect, imported.text, file, asked);
    // What it calls may be somewhere else: then that is left to do.
    if (!front.parsed.ok()) {
        asked.read_file = nullptr;
        if (auto alone = pipeline::read_front(dialect, imported.text, file, asked); alone.parsed.ok()) front = std::move(alone);
    }
    imported.ok = front.parsed.ok();
    imported.problems = front.parsed.problems;
    if (imported.ok) imported.converted = pipeline::convert(front, file, originals);
    else imported.converted.report = front.report;
    return imported;
}

/// Each pipeline of a file.
Result<std::vector<Imported>> import_file(const std::string& file) {
    CICD_TRY(const auto text, read_text(file));
    auto parts = pipeline::parts_of(pipeline::guess_dialect(file, text), text, file);
    if (parts.size() < 2) parts = {""};
    std::vector<Imported> all;
    for (const auto& part : parts) {
        CICD_TRY(auto imported, import_part(file, text, part));
        all.push_back(std::move(imported));
    }
    for (auto& imported : all)
        for (const auto& other : parts)
            if (other != imported.part) imported.others.push_back(other);
    return all;
}

/// The file as a whole: what several of its pipelines say counts once.
Imported together(std::vector<Imported> parts) {
    auto whole = std::move(parts.front());
    auto& known = whole.converted.report.findings;
    for (std::size_t i = 1; i < parts.size(); ++i) {
        whole.ok = whole.ok && parts[i].ok;
        for (auto& finding : parts[i].converted.report.findings)
            if (std::find(known.begin(), known.end(), finding) == known.end()) known.push_back(std::move(finding));
    }
    return whole;
}

/// Nothing is overwritten.
Result<std::string> write_into(const fs::path& folder, const Imported& imported) {
    auto name = fs::path(imported.file).stem().string();
    name.erase(0, name.find_first_not_of('.'));  // .gitlab-ci is for GitLab, gitlab-ci is for us
    if (!imported.part.empty()) name += "-" + imported.part;
    const auto written = (folder / name).string() + ".yaml";
    std::error_code fault;
    if (fs::exists(written, fault)) return conflict("CLI_007", written + " is there already", "remove it, or name another folder");
    fs::create_directories(folder, fault);
    CICD_CHECK(write_text(written, imported.converted.yaml));
    return written;
}

Value document(const Imported& imported) {
    const auto& report = imported.converted.report;
    return Object{{"file", imported.file}, {"part", imported.part}, {"valid", imported.ok}, {"written", imported.written}, {"definition", imported.converted.yaml},
                  {"constructs", report.constructs}, {"carried", report.carried()}, {"approximated", report.count(Carried::approximated)},
                  {"unsupported", report.count(Carried::unsupported)}, {"manual", report.count(Carried::manual)},
                  {"findings", render::findings_value(report)}};
}

/// Whole percents, rounded down: 100 means all.
std::string share(int part, int whole) { return whole > 0 ? std::to_string(part * 100 / whole) + " %" : "–"; }

void audit(const Session& session, const std::vector<Imported>& all) {
    render::Table table({{.title = "FILE"}, {.title = "CONSTRUCTS", .right = true}, {.title = "CARRIED", .right = true}, {.title = "DIFFER", .right = true},
                         {.title = "NOT CARRIED", .right = true}, {.title = "BY HAND", .right = true}});
    int constructs = 0, carried = 0, approximated = 0, unsupported = 0, manual = 0;
    const auto add = [&](const std::string& name, const std::string& part, int total, int differ, int left_out, int by_hand) {
        table.add({{name}, {std::to_string(total)}, {part}, {std::to_string(differ)}, {std::to_string(left_out)}, {std::to_string(by_hand)}});
    };
    for (const auto& imported : all) {
        const auto& report = imported.converted.report;
        add(imported.file, imported.ok ? share(report.carried(), report.constructs) : "not valid", report.constructs, report.count(Carried::approximated),
            report.count(Carried::unsupported), report.count(Carried::manual));
        constructs += report.constructs;
        carried += imported.ok ? report.carried() : 0;
        approximated += report.count(Carried::approximated);
        unsupported += report.count(Carried::unsupported);
        manual += report.count(Carried::manual);
    }
    if (all.size() > 1) add("all " + std::to_string(all.size()) + " files", share(carried, constructs), constructs, approximated, unsupported, manual);
    session.print(table);
}

void tell(const Session& session, const Imported& imported) {
    const auto text = [&](const std::string& file) { return file == imported.file ? imported.text : std::string(); };
    session.console().err(render::diagnostics(imported.problems, text, session.console().err_paint()));
    if (!imported.ok) return;
    const auto& report = imported.converted.report;
    session.note(imported.file + (imported.part.empty() ? "" : " (" + imported.part + ")") + ": " + std::to_string(report.carried()) + " of " + std::to_string(report.constructs) + " constructs are carried over");
    for (const auto& finding : report.findings) session.note("  " + render::finding_line(finding));
}

/// The pipelines of other languages below a folder; a file is itself.
std::vector<std::string> files_of(const std::vector<std::string>& typed) {
    std::vector<std::string> found;
    std::error_code fault;
    for (const auto& each : typed) {
        if (!fs::is_directory(each, fault)) {
            found.push_back(each);
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(each, fs::directory_options::skip_permission_denied, fault))
            if (entry.is_regular_file(fault) && pipeline::dialect_of(entry.path().string()) != model::Dialect::native &&
                (entry.path().extension() == ".yml" || entry.path().extension() == ".yaml"))
                found.push_back(entry.path().lexically_normal().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

Result<ExitCode> import(Session& session, const Arguments& arguments) {
    const auto files = files_of(arguments.operands);
    if (files.empty()) return not_found("CLI_005", "there are no pipelines of GitHub, GitLab or Bitbucket in what was named");
    const fs::path to = arguments.text("--to");
    std::vector<Imported> all;
    for (const auto& file : files) {
        CICD_TRY(auto parts, import_file(file));
        if (arguments.has("--audit")) {
            all.push_back(together(std::move(parts)));
            continue;
        }
        for (auto& imported : parts)
            if (!to.empty() && imported.ok) {
                CICD_TRY(imported.written, write_into(to, imported));
            }
        // What is printed is one pipeline, to be a file of ours.
        if (to.empty() && !session.structured()) parts.resize(1);
        std::move(parts.begin(), parts.end(), std::back_inserter(all));
    }
    if (session.structured()) {
        Array list;
        for (const auto& imported : all) list.push_back(document(imported));
        session.print(Object{{"data", std::move(list)}});
    } else if (arguments.has("--audit")) {
        audit(session, all);
    } else {
        for (const auto& imported : all) {
            tell(session, imported);
            if (to.empty() && !imported.others.empty())
                session.note("  this is its pipeline '" + imported.part + "'; --output DIR writes the others as well: " + join(imported.others, ", "));
            session.console().out(to.empty() ? imported.converted.yaml : imported.written + "\n");
        }
    }
    const bool ok = std::all_of(all.begin(), all.end(), [](const auto& imported) { return imported.ok; });
    return ok ? ExitCode::success : ExitCode::usage;
}

}  // namespace

constinit const Command import_command{.name = "import",
                                       .summary = "Make a pipeline of ours from one of GitHub, GitLab or Bitbucket",
                                       .description = "Nothing is dropped in silence: what has no counterpart stands in comments and in the report.",
                                       .operands = operands,
                                       .options = options,
                                       .examples = examples,
                                       .handler = import,
                                       .output_folder = "--to"};

}  // namespace cicd::cli
