#include "cli/selection.hpp"

#include "cli/files.hpp"
#include "cli/variables.hpp"
#include "common/base/enum_text.hpp"
#include "common/codec/json.hpp"

namespace cicd::cli {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<Pairs> pairs(std::string_view option, const std::vector<std::string>& typed) {
    Pairs found;
    for (const auto& text : typed) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            return usage_error(std::string(option) + " takes KEY=VALUE, not '" + text + "'");
        CICD_TRY(auto value, resolve_value(text.substr(equals + 1)));
        found.emplace_back(text.substr(0, equals), std::move(value));
    }
    return found;
}

/// Several values of one axis are lines of one text.
void choose(const std::string& axis, const std::string& value, Pairs& into) {
    for (auto& [known, values] : into)
        if (known == axis) {
            values += "\n" + value;
            return;
        }
    into.emplace_back(axis, value);
}

Result<void> add_event_file(const std::string& file, contract::StartRun& request) {
    if (file.empty()) return {};
    CICD_TRY(const auto text, read_text(file));
    auto value = codec::parse_json(text);
    if (!value) return std::move(value.error()).within(file);
    if (!value->is_object()) return usage_error(file + " must hold a JSON object");
    request.payload = std::move(*value);
    return {};
}

bool is_url(const std::string& repository) {
    if (repository.find("://") != std::string::npos) return true;
    const auto colon = repository.find(':');  // user@host:path, unless a folder is called like that
    return colon != std::string::npos && repository.find('/') > colon && !std::filesystem::exists(repository);
}

bool looks_like_file(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml") ||
           name.ends_with(".json");
}

// The repository, and whether its working tree is meant.
Result<void> choose_repository(const Arguments& arguments, contract::StartRun& request) {
    const auto given = arguments.text("--repository");
    const bool revision = !request.commit.empty() || !request.branch.empty() || !request.tag.empty();
    if (!given.empty() && is_url(given)) {
        request.repository = given;
        return {};
    }
    const auto from = given.empty() ? std::filesystem::path(".") : std::filesystem::path(given);
    const auto root = repository_root(from);
    if (root) {
        request.repository = root->string();
    } else if (!given.empty() && revision) {
        request.repository = std::filesystem::absolute(from).lexically_normal().string();  // perhaps a bare one
    } else {
        return invalid("CLI_004",
                       "no git repository at or above " + std::filesystem::absolute(from).lexically_normal().string(),
                       "'git init' makes one; --repository PATH|URL names another");
    }
    request.working_tree = !revision;
    return {};
}

// -f: a path from here, which the planner wants as a path in the repository.
Result<void> choose_file(const std::string& file, bool elsewhere, contract::StartRun& request) {
    if (file == "-") {
        CICD_TRY(request.definition, read_text("-"));
        return {};
    }
    if (elsewhere) {
        request.file = file;
        return {};
    }
    std::error_code fault;
    const auto path = std::filesystem::weakly_canonical(file, fault);
    const auto inside = path.lexically_relative(std::filesystem::weakly_canonical(request.repository, fault));
    const bool outside = inside.empty() || *inside.begin() == "..";
    if (request.working_tree || outside) {
        CICD_TRY(auto text, read_text(file));  // also tells that it is missing
        if (outside) request.definition = std::move(text);
    }
    if (!outside) request.file = inside.generic_string();
    return {};
}

// A name is a file in .cicd/pipelines, a path, or a pipeline that the daemon knows.
Result<void> choose_pipeline(const std::string& name, contract::StartRun& request) {
    std::error_code fault;
    for (const auto* extension : {".yaml", ".yml", ".json"}) {
        const auto file = ".cicd/pipelines/" + name + extension;
        if (request.repository.empty() ||
            !std::filesystem::is_regular_file(std::filesystem::path(request.repository) / file, fault))
            continue;
        request.file = file;
        return {};
    }
    if (looks_like_file(name)) return choose_file(name, false, request);
    request.pipeline = name;
    return {};
}

}  // namespace

Result<contract::StartRun> selection(const Arguments& arguments) {
    contract::StartRun request;
    request.commit = arguments.text("--commit");
    request.branch = arguments.text("--branch");
    request.tag = arguments.text("--tag");
    if (!request.commit.empty() + !request.branch.empty() + !request.tag.empty() > 1)
        return usage_error("--commit, --branch and --tag exclude each other");
    request.base = arguments.text("--base");
    request.event_name = arguments.text("--event");
    request.event = from_text<model::TriggerType>(request.event_name).value_or(model::TriggerType::manual);
    request.strict = arguments.has("--strict");
    CICD_CHECK(add_event_file(arguments.text("--event-file"), request));
    CICD_TRY(const auto chosen, pairs("--matrix", arguments.texts("--matrix")));
    for (const auto& [axis, value] : chosen) choose(axis, value, request.matrix);
    CICD_TRY(request.actions, pairs("--action", arguments.texts("--action")));
    if (arguments.has("--env-file")) {
        CICD_TRY(const auto text, read_text(arguments.text("--env-file")));
        CICD_TRY(request.env, parse_variables(text));
    }
    CICD_TRY(const auto env, pairs("--env", arguments.texts("--env")));
    request.env.insert(request.env.end(), env.begin(), env.end());
    request.stages = arguments.texts("--stage");
    request.jobs = arguments.texts("--job");
    CICD_TRY(request.params, pairs("--param", arguments.texts("--param")));
    CICD_TRY(request.vars, pairs("--var", arguments.texts("--var")));

    const auto name = arguments.operand(0);
    const auto file = arguments.text("--file");
    if (!name.empty() && !file.empty()) return usage_error("give either PIPELINE or --file, not both");
    const auto repository = choose_repository(arguments, request);
    if (!repository) {
        // A pipeline that the daemon knows brings its own repository.
        if (name.empty() || looks_like_file(name) || arguments.has("--repository")) return repository.error();
        request.pipeline = name;
        return request;
    }
    if (!file.empty()) CICD_CHECK(choose_file(file, arguments.has("--repository"), request));
    if (!name.empty()) CICD_CHECK(choose_pipeline(name, request));
    if (!request.pipeline.empty() && !arguments.has("--repository")) {
        request.repository.clear();
        request.working_tree = false;
    }
    return request;
}

}  // namespace cicd::cli
