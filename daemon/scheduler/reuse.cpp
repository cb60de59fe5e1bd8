#include "daemon/scheduler/reuse.hpp"

#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/json.hpp"
#include "daemon/images/digest.hpp"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <functional>

namespace cicd::scheduler {
namespace {

/// Of a description of a job that holds nothing but what `fill` puts there.
std::string digest_of(const std::function<void(model::JobSpec&)>& fill) {
    model::JobSpec blank;
    blank.contexts = Object{};
    fill(blank);
    return images::digest_of(codec::to_json(codec::encode(blank)));
}

std::string digest_of(const Value& value) { return images::digest_of(codec::to_json(value)); }

/// As expressions do: names without regard to case; what is not there is null.
Value value_at(const Value& contexts, const std::string& path) {
    Value here = contexts;
    for (const auto& name : split(path, '.')) {
        if (name == "*" || !here.is_object()) return here;
        Value next;
        for (const auto& [key, value] : here.as_object())
            if (to_lower(key) == to_lower(name)) next = value;
        here = std::move(next);
    }
    return here;
}

Object values_of(const InputsQuestion& question) {
    Object values;
    for (const auto& path : question.references) values.set(path, value_at(question.spec.contexts, path));
    return values;
}

bool sees_the_machine(model::ExecutorKind executor) {
    switch (executor) {
        case model::ExecutorKind::sandbox:
        case model::ExecutorKind::host: return true;
        case model::ExecutorKind::rootfs:
        case model::ExecutorKind::container: return false;
    }
    return true;
}

std::string name_of(const model::JobRun& job) { return job.run.str() + ", " + job.id.str(); }

}  // namespace

model::JobInputs inputs_of(const InputsQuestion& question, const Surroundings& around) {
    const auto& spec = question.spec;
    model::JobInputs inputs;
    const auto add = [&](const char* name, std::string digest) { inputs.parts.emplace_back(name, std::move(digest)); };
    add("tree", question.source.tree);
    add("steps", digest_of([&](auto& blank) {
            blank.steps = spec.steps;
            blank.shell = spec.shell;
            blank.working_directory = spec.working_directory;
        }));
    add("env", digest_of([&](auto& blank) { blank.env = spec.env; }));
    add("settings", digest_of([&](auto& blank) {
            blank.executor = spec.executor;
            blank.network = spec.network;
            blank.outputs = spec.outputs;
            blank.artifacts = spec.artifacts;
            blank.git_depth = spec.git_depth;
        }));
    add("values", digest_of(Value(values_of(question))));
    add("matrix", digest_of(spec.contexts["matrix"]));
    if (spec.image) add("image", digest_of([&](auto& blank) { blank.image = spec.image; }));
    add("artifacts", digest_of([&](auto& blank) { blank.needed = spec.needed; }));
    Object secrets;
    for (const auto& [name, version] : around.secrets) secrets.set(name, version);
    add("secrets", digest_of(Value(std::move(secrets))));
    if (sees_the_machine(spec.executor)) add("host", images::digest_of(around.host));
    std::string all;
    for (const auto& [name, digest] : inputs.parts) all += name + " " + digest + "\n";
    if (!question.source.tree.empty()) inputs.digest = images::digest_of(all);
    return inputs;
}

std::string differences(const model::JobInputs& now, const model::JobInputs& before) {
    std::vector<std::string> names;
    const auto look = [&](const auto& parts, const auto& others) {
        for (const auto& part : parts)
            if (std::find(others.begin(), others.end(), part) == others.end() &&
                std::find(names.begin(), names.end(), part.first) == names.end())
                names.push_back(part.first);
    };
    look(now.parts, before.parts);
    look(before.parts, now.parts);
    if (names.size() < 2) return names.empty() ? "" : names.front();
    const auto last = names.back();
    names.pop_back();
    return join(names, ", ") + " and " + last;
}

model::JobInputs decide_reuse(model::JobInputs inputs, const InputsQuestion& question, const store::KnownResults& known, bool kept) {
    if (inputs.digest.empty()) {
        inputs.decision = "not reused: its files have no revision";
    } else if (!question.may_reuse) {
        inputs.decision = "not reused: this run was to run everything (--no-reuse, or a retry)";
    } else if (known.same && kept) {
        inputs.from = known.same->id;
        inputs.decision = "reused from " + name_of(*known.same) + ": same inputs " + inputs.digest;
    } else if (known.same) {
        inputs.decision = "not reused: what " + name_of(*known.same) + " left behind is no longer kept";
    } else if (!known.why_not.empty()) {
        inputs.decision = "not reused: " + known.why_not;
    } else if (known.latest && known.latest->inputs) {
        const auto differing = differences(inputs, *known.latest->inputs);
        inputs.decision = "not reused: " + (differing.empty() ? "inputs" : differing) +
                          (differing.find(' ') == std::string::npos && differing != "inputs" ? " differs" : " differ") + " from " + name_of(*known.latest);
    } else {
        inputs.decision = "not reused: no success with reuse is known yet";
    }
    return inputs;
}

std::string result_scope(const model::Event& event) {
    if (event.pull_request > 0) return "pull request " + std::to_string(event.pull_request);
    return event.type == model::TriggerType::pull_request ? "pull request of " + event.branch : "";
}

std::string host_identity() {
    std::string text;
    for (const char* path : {"/usr", "/usr/bin", "/usr/lib", "/etc/os-release", "/var/lib/dpkg/status", "/etc/alternatives"}) {
        struct stat facts {};
        if (::stat(path, &facts) != 0) continue;
        text += std::string(path) + " " + std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) + " " +
                std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + " " + std::to_string(facts.st_size) + "\n";
    }
    utsname machine{};
    if (::uname(&machine) == 0) text += machine.machine;
    return text;
}

}  // namespace cicd::scheduler
