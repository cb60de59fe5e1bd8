#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"
#include "cli/times.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace cicd::cli {
namespace {

constexpr std::size_t hard_to_hide = 4;

constexpr Operand one_name[] = {{.name = "NAME"}};
constexpr Operand maybe_name[] = {{.name = "NAME", .required = false}};
constexpr Option scope_options[] = {
    {.names = "--project",
     .value = "PATH|URL",
     .help = "Only for runs of this repository",
     .completes = Completes::directory},
    {.names = "--env", .value = "NAME", .help = "Only for jobs of this environment"},
    {.names = "--branch", .value = "PATTERN", .help = "Only for runs of these branches: main, release/**"},
};
constexpr Option set_options[] = {
    {.names = "-f,--file",
     .value = "FILE",
     .help = "Take the value from a file; else from standard input",
     .completes = Completes::file},
    {.names = "--rotate-by", .value = "DATE", .help = "When to replace it: 90d from now, or 2027-01-31"},
};
constexpr Option history_options[] = {{.names = "--limit", .value = "N", .help = "At most so many (100)"}};
constexpr Example set_examples[] = {
    {"pass show deploy | cicdctl secret set DEPLOY_TOKEN", "for every job"},
    {"cicdctl secret set NPM_TOKEN --project . --branch main -f token", "for one repository's main"}};
constexpr Example list_examples[] = {{"cicdctl secret list -o wide", "who set it, which job had it last"}};
constexpr Example rotate_examples[] = {
    {"cicdctl secret rotate DEPLOY_TOKEN --rotate-by 90d < new", "a new value; its scope stays"}};
constexpr Example rekey_examples[] = {{"cicdctl secret rekey", "after somebody may have read the old key"}};

/// A path as runs name it: that of its repository.
std::string project_of(const std::string& typed) {
    if (typed.empty() || typed.find("://") != std::string::npos) return typed;
    std::error_code fault;
    const auto path = std::filesystem::weakly_canonical(typed, fault);
    if (fault || !std::filesystem::exists(path, fault)) return typed;
    const auto root = repository_root(path);
    return root ? root->string() : path.string();
}

model::SecretScope scope_of(const Arguments& arguments) {
    return {project_of(arguments.text("--project")), arguments.text("--env"), arguments.text("--branch")};
}

std::string scope_text(const model::SecretScope& scope) {
    std::string text;
    for (const auto& [label, part] :
         {std::pair{"environment ", &scope.environment}, {"project ", &scope.project}, {"branch ", &scope.branch}})
        if (!part->empty()) text += (text.empty() ? "" : ", ") + (label + *part);
    return text.empty() ? "global" : text;
}

/// Typed without being shown.
std::string typed_value(const std::string& name) {
    std::cerr << "Value of " << name << ": " << std::flush;
    termios before{};
    const bool known = ::tcgetattr(STDIN_FILENO, &before) == 0;
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (known) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::string value;
    std::getline(std::cin, value);
    if (known) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << '\n';
    return value;
}

Result<std::string> read_value(const std::string& name, std::string file) {
    if (file.starts_with('@')) file.erase(0, 1);
    if (file.empty() && ::isatty(STDIN_FILENO) == 1) return typed_value(name);
    CICD_TRY(auto value, read_text(file.empty() ? "-" : file));
    // What echo and editors add to one line; a key of many lines needs its last newline.
    const auto newline = value.find('\n');
    if (newline != std::string::npos && newline + 1 == value.size())
        value.erase(newline > 0 && value[newline - 1] == '\r' ? newline - 1 : newline);
    return value;
}

void print_secret(const Session& session, const model::Secret& secret, const std::string& done) {
    if (session.structured())
        session.print(codec::encode(secret));
    else if (session.output() == Output::name)
        session.console().out(secret.name + "\n");
    else
        session.note(done + " " + secret.name + " (" + scope_text(secret.scope) + "), version " +
                     std::to_string(secret.version) + ".");
}

Result<ExitCode> save(Session& session, const Arguments& arguments, bool must_exist) {
    contract::SaveSecret request;
    request.name = arguments.operand(0);
    request.scope = scope_of(arguments);
    if (const auto typed = arguments.text("--rotate-by"); !typed.empty()) {
        CICD_TRY(request.rotate_by, future_time("--rotate-by", typed));
    }
    CICD_TRY(auto* daemon, session.daemon());
    if (must_exist) {
        CICD_TRY(const auto all, daemon->list_secrets({}));
        const auto same = [&](const model::Secret& secret) {
            return to_lower(secret.name) == to_lower(request.name) && secret.scope == request.scope;
        };
        if (std::none_of(all.begin(), all.end(), same))
            return not_found("SECRET_001",
                             "there is no secret '" + request.name + "' of scope '" + scope_text(request.scope) + "'",
                             "see them all: cicdctl secret list");
    }
    CICD_TRY(request.value, read_value(request.name, arguments.text("--file")));
    CICD_TRY(const auto secret, daemon->set_secret(request));
    if (request.value.size() < hard_to_hide)
        session.note(
            "Its value is so short that hiding it makes logs hard to read, and that it can be guessed from them.");
    print_secret(session, secret, must_exist ? "Rotated" : "Set");
    return ExitCode::success;
}

Result<ExitCode> set(Session& session, const Arguments& arguments) {
    return save(session, arguments, false);
}
Result<ExitCode> rotate(Session& session, const Arguments& arguments) {
    return save(session, arguments, true);
}

render::Cell rotation(const model::Secret& secret, Timestamp now) {
    if (!secret.rotate_by) return {};
    const auto date = format_time(*secret.rotate_by).substr(0, 10);
    if (*secret.rotate_by <= now) return {date + " (due)", render::Tone::red};
    return {date};
}

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto secrets, daemon->list_secrets(scope_of(arguments)));
    if (session.structured()) {
        Array data;
        for (const auto& secret : secrets) data.push_back(codec::encode(secret));
        session.print(Object{{"data", std::move(data)}});
        return ExitCode::success;
    }
    if (session.output() == Output::name) {
        for (const auto& secret : secrets) session.console().out(secret.name + "\n");
        return ExitCode::success;
    }
    if (secrets.empty()) session.note("There are no secrets; 'cicdctl secret set NAME' adds one.");
    if (secrets.empty()) return ExitCode::success;
    const auto now = SystemClock().now();
    render::Table table({{.title = "NAME"},
                         {.title = "SCOPE", .gives_way = true},
                         {.title = "VERSION", .right = true},
                         {.title = "AGE", .right = true},
                         {.title = "ROTATE BY"},
                         {.title = "SET BY", .only_wide = true},
                         {.title = "LAST USED", .only_wide = true},
                         {.title = "USED BY", .only_wide = true}});
    for (const auto& secret : secrets)
        table.add({{secret.name},
                   {scope_text(secret.scope)},
                   {std::to_string(secret.version)},
                   {render::age(now - secret.updated_time)},
                   rotation(secret, now),
                   {secret.updated_by},
                   {secret.last_used_time ? format_time(*secret.last_used_time) : "never"},
                   {secret.last_used_by}});
    session.print(table);
    return ExitCode::success;
}

Result<ExitCode> remove(Session& session, const Arguments& arguments) {
    const auto name = arguments.operand(0);
    const auto scope = scope_of(arguments);
    CICD_TRY(const auto sure, session.confirm("Remove the secret '" + name + "' (" + scope_text(scope) + ")?"));
    if (!sure) return ExitCode::cancelled;
    CICD_TRY(auto* daemon, session.daemon());
    CICD_CHECK(daemon->remove_secret(name, scope));
    session.note("Removed " + name + ".");
    return ExitCode::success;
}

Result<ExitCode> history(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto events, daemon->secret_history(arguments.operand(0), limit.value_or(100)));
    if (session.structured()) {
        Array data;
        for (const auto& event : events) data.push_back(codec::encode(event));
        session.print(Object{{"data", std::move(data)}});
        return ExitCode::success;
    }
    render::Table table({{.title = "TIME"},
                         {.title = "WHAT"},
                         {.title = "NAME"},
                         {.title = "SCOPE", .gives_way = true},
                         {.title = "VERSION", .right = true},
                         {.title = "BY"}});
    for (const auto& event : events)
        table.add({{format_time(event.time)},
                   {event.action},
                   {event.name},
                   {scope_text(event.scope)},
                   {std::to_string(event.version)},
                   {event.user}});
    session.print(table);
    return ExitCode::success;
}

Result<ExitCode> rekey(Session& session, const Arguments&) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto count, daemon->rekey_secrets());
    if (session.structured())
        session.print(Object{{"secrets", count}});
    else
        session.note(std::to_string(count) + (count == 1 ? " secret is" : " secrets are") +
                     " encrypted with a new key.");
    return ExitCode::success;
}

}  // namespace

constinit const Command secret_group{.name = "secret", .summary = "Secrets of jobs: set, list, rotate, rm, …"};
constinit const Command secret_set{
    .name = "secret set",
    .summary = "Add a secret, or give it a new value",
    .description =
        "The value comes from a file or from standard input, never from the command line.\n"
        "Jobs read it as ${{ secrets.NAME }}. The nearest one counts: of the environment,\n"
        "then of the project, then of the branch, then the one without a scope.",
    .operands = one_name,
    .options = set_options,
    .shared_options = scope_options,
    .examples = set_examples,
    .handler = set};
constinit const Command secret_list{.name = "secret list",
                                    .summary = "List the secrets, never their values",
                                    .shared_options = scope_options,
                                    .examples = list_examples,
                                    .handler = list};
constinit const Command secret_rotate{.name = "secret rotate",
                                      .summary = "Give a secret that there is a new value",
                                      .operands = one_name,
                                      .options = set_options,
                                      .shared_options = scope_options,
                                      .examples = rotate_examples,
                                      .handler = rotate};
constinit const Command secret_rm{.name = "secret rm",
                                  .summary = "Remove a secret",
                                  .operands = one_name,
                                  .shared_options = scope_options,
                                  .handler = remove};
constinit const Command secret_history{.name = "secret history",
                                       .summary = "Who set, removed and used secrets, the newest first",
                                       .operands = maybe_name,
                                       .options = history_options,
                                       .handler = history};
constinit const Command secret_rekey{.name = "secret rekey",
                                     .summary = "Encrypt all secrets with a new key",
                                     .examples = rekey_examples,
                                     .handler = rekey};

}  // namespace cicd::cli
