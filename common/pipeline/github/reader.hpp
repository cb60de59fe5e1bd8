#pragma once

#include "common/pipeline/builder.hpp"
#include "common/pipeline/front.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What the readers of a workflow's elements share: typed access as GitHub reads YAML, and the report.
namespace cicd::pipeline::github {

class Reader;

template <class T>
struct Key {
    std::string_view name;
    void (*read)(Reader&, const Cursor&, T&);
};

class Reader {
public:
    Reader(Builder& builder, Report& report, std::string file) : b(builder), report_(report), file_(std::move(file)) {}

    Builder& b;

    /// Reads each key by its table; others are errors, as GitHub has them.
    template <class T>
    void keys(const Cursor& at, T& into, std::span<const Key<T>> table, std::string_view what);

    /// Any scalar as GitHub turns it into a text: 3.10 is "3.1". Nothing is the empty text.
    std::string text(const Cursor& at);
    model::Strings texts(const Cursor& at);  ///< a list, or one for a list of one
    model::Texts text_map(const Cursor& at);
    Value value(const Cursor& at);
    std::string condition(const Cursor& at);
    model::OrExpression<bool> flag(const Cursor& at);
    /// `timeout-minutes` and its like.
    void minutes(const Cursor& at, std::optional<Milliseconds>& known, std::string& expression);

    void count(int constructs = 1) { report_.constructs += constructs; }
    void approximated(const Cursor& at, std::string what, std::string reason) { find(Carried::approximated, at, std::move(what), std::move(reason)); }
    void unsupported(const Cursor& at, std::string what, std::string reason) { find(Carried::unsupported, at, std::move(what), std::move(reason)); }
    void manual(const Cursor& at, std::string what, std::string reason) { find(Carried::manual, at, std::move(what), std::move(reason)); }
    void find(Carried kind, const Cursor& at, std::string what, std::string reason);

private:
    Report& report_;
    std::string file_;
};

template <class T>
void Reader::keys(const Cursor& at, T& into, std::span<const Key<T>> table, std::string_view what) {
    if (!b.is_map(at, what)) return;
    for (const auto& member : at.node->members) {
        const std::string_view name = member.key->text;
        const Key<T>* found = nullptr;
        for (const auto& key : table)
            if (key.name == name) found = &key;
        if (found) {
            count();
            if constexpr (requires { into.key_marks; })
                into.key_marks.set(name, b.mark(Cursor{member.key, &at, name, 0}));
            found->read(*this, at.child(member), into);
            continue;
        }
        std::vector<std::string> allowed;
        for (const auto& key : table) allowed.emplace_back(key.name);
        b.unknown_key(at, *member.key, allowed, what);
    }
}

/// A job that calls another workflow stands for that one's jobs until they take its place.
struct Call {
    std::string uses;
    std::vector<std::pair<std::string, Value>> with;
    std::vector<std::pair<std::string, std::string>> secrets;
    bool inherits_secrets = false;
    model::Mark mark;
};

struct JobDraft {
    model::Job job;
    model::Strings needs;
    std::optional<Call> call;
    model::Marks key_marks;
};

/// A workflow as it is written: its jobs are not in stages yet.
struct Workflow {
    model::Pipeline pipeline;  ///< name, triggers, concurrency
    model::Texts env;
    std::string shell, working_directory;
    std::vector<model::Parameter> dispatch_inputs, call_inputs;
    model::Texts call_outputs;
    std::vector<JobDraft> jobs;
};

void read_events(Reader& r, const Cursor& at, Workflow& into);
std::vector<model::Parameter> read_inputs(Reader& r, const Cursor& at, bool of_call);
std::optional<model::Concurrency> read_concurrency(Reader& r, const Cursor& at);
void read_permissions(Reader& r, const Cursor& at);
struct RunDefaults {
    std::string shell, working_directory;
};
RunDefaults read_defaults(Reader& r, const Cursor& at);
std::vector<JobDraft> read_jobs(Reader& r, const Cursor& at);
void read_strategy(Reader& r, const Cursor& at, model::Job& job);
std::vector<model::Step> read_steps(Reader& r, const Cursor& at);
void read_container(Reader& r, const Cursor& at, model::Job& job);
std::vector<model::Service> read_services(Reader& r, const Cursor& at);
Workflow read_workflow(Reader& r, const Cursor& at);

/// One file, with its problems and its part of the report.
Workflow load_workflow(std::string_view text, const std::string& file, std::vector<Diagnostic>& problems, Report& report);
/// Puts the workflow's jobs into stages of `front`'s pipeline: its own into one, and those of each workflow that it calls
/// into one more, named by the job that calls it.
void assemble(Workflow workflow, const FrontOptions& options, Front& front);

}  // namespace cicd::pipeline::github
