#include "common/base/text.hpp"
#include "common/pipeline/gitlab/job.hpp"

#include <algorithm>
#include <charconv>

/// Where a job runs, what runs beside it, how often.
namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t most_instances = 200;

/// `entrypoint: [""]` undoes that of the image, which nothing here runs.
void tell_entrypoint(Reader& r, const Node& at, const char* what) {
    for (const auto& word : r.texts(at))
        if (!word.empty()) return r.approximated(at, what, "the image's files are used; its entrypoint is not run");
}

/// Variables that are not set leave holes in a name.
bool is_whole(std::string_view name) {
    if (name.empty() || name.find_first_of(" \t\n") != name.npos) return name.find("${{") != name.npos;
    for (const std::string_view hole : {"//", "/:", "::", ":@", "/@"})
        if (name.find(hole) != name.npos) return false;
    return name.find_first_of(":/@") != 0 && name.find_last_of(":/@") != name.size() - 1;
}

/// One entry of `parallel:matrix`: the product of its lists.
void add_products(Reader& r, const Node& entry, std::vector<model::Texts>& into) {
    std::vector<model::Texts> products{{}};
    for (const auto& [key, value] : entry.members) {
        auto values = r.texts(*value);
        if (values.empty()) values.emplace_back();
        std::vector<model::Texts> next;
        for (const auto& known : products)
            for (const auto& one : values) {
                if (next.size() > most_instances) break;
                next.push_back(known);
                next.back().emplace_back(key->text, one);
            }
        products = std::move(next);
    }
    if (!entry.members.empty()) into.insert(into.end(), products.begin(), products.end());
}

void words(Reader& r, const Node& at, const Variables& variables, model::Strings& into) {
    for (const auto& word : r.texts(at)) into.push_back(variables.expand(word));
}

model::Texts service_env(Reader& r, const Node& at, const Variables& variables) {
    auto all = variables;
    all.add(read_variables(r, at));
    model::Texts env;
    for (const auto& member : at.members) env.emplace_back(member.key->text, all.expand("${" + member.key->text + "}"));
    return env;
}

}  // namespace

void read_image(Reader& r, const Node& at, const Variables& variables, model::Job& job) {
    if (at.kind == NodeKind::null || at.reference) return;
    model::Image image;
    if (at.kind != NodeKind::map) {
        image.name = variables.expand(r.text(at));
    } else {
        for (const auto& [key, value] : at.members) {
            if (key->text == "name") image.name = variables.expand(r.text(*value));
            else if (key->text == "entrypoint") tell_entrypoint(r, *value, "image:entrypoint");
            else if (key->text == "pull_policy") r.approximated(*key, "image:pull_policy", "an image is pulled where it is not there yet");
            else if (key->text == "docker" || key->text == "kubernetes") r.approximated(*key, "image:" + key->text, "no engine is used, so its options mean nothing");
            else r.error(*key, "unknown key '" + key->text + "' in an image", "name, entrypoint, pull_policy");
        }
    }
    if (!is_whole(image.name)) {
        job.unavailable = "its image '" + image.name + "' is made of variables that are not set here";
        r.manual(at, "image", "it is made of variables that are not set here: --env NAME=VALUE sets them; the job is skipped");
        return;
    }
    job.image = std::move(image);
}

std::vector<model::Service> read_services(Reader& r, const Node& at, const Variables& variables) {
    std::vector<model::Service> services;
    for (const Node* item : r.flat(at)) {
        model::Service service;
        service.mark = r.mark(*item);
        if (item->kind != NodeKind::map) {
            service.image = variables.expand(r.text(*item));
        } else {
            for (const auto& [key, value] : item->members) {
                if (key->text == "name") service.image = variables.expand(r.text(*value));
                else if (key->text == "alias") service.name = r.text(*value).substr(0, r.text(*value).find_first_of(", "));
                else if (key->text == "command") words(r, *value, variables, service.command);
                else if (key->text == "variables") service.env = service_env(r, *value, variables);
                else if (key->text == "entrypoint") tell_entrypoint(r, *value, "services:entrypoint");
                else if (key->text == "pull_policy" || key->text == "docker" || key->text == "kubernetes") r.approximated(*key, "services:" + key->text, "no engine is used, so its options mean nothing");
                else r.error(*key, "unknown key '" + key->text + "' in a service", "name, alias, command, entrypoint, variables");
            }
        }
        if (service.image.empty()) continue;
        // docker.io/library/postgres:16 answers to the name "postgres".
        if (service.name.empty()) {
            auto name = service.image.substr(0, service.image.find_first_of("@"));
            if (const auto colon = name.rfind(':'); colon != name.npos && name.find('/', colon) == name.npos) name.erase(colon);
            std::replace(name.begin(), name.end(), '/', '-');
            service.name = name;
        }
        services.push_back(std::move(service));
    }
    return services;
}

void read_environment(Reader& r, const Node& at, const Variables& variables, model::Job& job) {
    if (at.kind != NodeKind::map) {
        job.environment = variables.expand(r.text(at));
        return;
    }
    static const std::vector<std::string> known{"name", "url", "on_stop", "action", "auto_stop_in", "deployment_tier", "kubernetes"};
    for (const auto& [key, value] : at.members) {
        if (key->text == "name") job.environment = variables.expand(r.text(*value));
        else if (std::find(known.begin(), known.end(), key->text) == known.end())
            r.error(*key, "unknown key '" + key->text + "' in an environment", did_you_mean(key->text, known));
        else if (key->text != "deployment_tier" && !(key->text == "action" && r.text(*value) == "start"))
            r.approximated(*key, "environment:" + key->text, "environments are not started, stopped or linked here");
    }
}

std::vector<int> read_exit_codes(Reader& r, const Node& at) {
    std::vector<int> codes;
    for (const auto& text : r.texts(at)) {
        const auto code = to_integer(text);
        if (!code || *code < 0 || *code > 255) r.error(at, "'" + text + "' is no exit code", "a number from 1 to 255");
        else if (*code > 0) codes.push_back(static_cast<int>(*code));
    }
    return codes;
}

std::optional<model::Retry> read_retry(Reader& r, const Node& at) {
    model::Retry retry;
    const Node* max = at.kind == NodeKind::map ? at.find("max") : &at;
    if (max) {
        const auto text = r.text(*max);
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), retry.max);
        if (code != std::errc() || end != text.data() + text.size() || retry.max < 0 || retry.max > 2) {
            r.error(*max, "'retry' is a number from 0 to 2, not " + max->describe());
            return std::nullopt;
        }
    }
    if (at.kind != NodeKind::map) return retry.max > 0 ? std::optional(retry) : std::nullopt;
    using model::EndReason;
    const auto add = [&](EndReason reason) { retry.on.push_back(reason); };
    if (const Node* when = at.find("when"))
        for (const Node* item : r.flat(*when)) {
            const auto text = r.text(*item);
            if (text == "always") add(EndReason::exit), add(EndReason::signal), add(EndReason::oom), add(EndReason::timeout), add(EndReason::lost), add(EndReason::infra);
            else if (text == "script_failure") add(EndReason::exit), add(EndReason::signal), add(EndReason::oom);
            else if (text == "stuck_or_timeout_failure" || text == "job_execution_timeout" || text == "job_execution_server_timeout") add(EndReason::timeout);
            else if (text == "stale_schedule" || text == "unmet_prerequisites" || text == "archived_failure") r.approximated(*item, "retry:when: " + text, "that does not happen here");
            else add(EndReason::infra), add(EndReason::lost);
        }
    std::vector<EndReason> unique;
    for (const auto reason : retry.on)
        if (std::find(unique.begin(), unique.end(), reason) == unique.end()) unique.push_back(reason);
    retry.on = std::move(unique);
    if (const Node* codes = at.find("exit_codes")) {
        // Either of the two is enough there. Where every failure of the script is tried again anyway, the codes say nothing.
        const bool of_script = std::find(retry.on.begin(), retry.on.end(), EndReason::exit) != retry.on.end();
        if (!of_script) {
            retry.exit_codes = read_exit_codes(r, *codes);
            add(EndReason::exit);
        }
    }
    return retry.max > 0 ? std::optional(retry) : std::nullopt;
}

std::vector<model::Texts> read_parallel(Reader& r, const Node& at) {
    std::vector<model::Texts> instances;
    if (at.kind == NodeKind::map) {
        if (const Node* matrix = at.find("matrix"))
            for (const Node* entry : r.flat(*matrix)) {
                if (entry->kind == NodeKind::map) add_products(r, *entry, instances);
                else r.error(*entry, "an entry of a matrix must be a map, not " + entry->describe());
            }
        if (instances.size() > most_instances) {
            r.error(at, "a matrix makes more than 200 jobs");
            instances.resize(most_instances);
        }
        return instances;
    }
    int count = 0;
    const auto text = r.text(at);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (code != std::errc() || end != text.data() + text.size() || count < 1 || count > 200) {
        r.error(at, "'parallel' is a number from 1 to 200, or a matrix, not " + at.describe());
        return instances;
    }
    for (int i = 1; i <= count; ++i) instances.push_back({{"CI_NODE_INDEX", std::to_string(i)}});
    return instances;
}

std::string plain_name(const std::string& written) {
    std::string name;
    for (const char c : written) {
        const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ' ';
        if (good) name += c;
        else if (!name.ends_with('-')) name += '-';
    }
    const auto first = name.find_first_not_of("- "), last = name.find_last_not_of("- ");
    name = first == name.npos ? "job" : name.substr(first, last - first + 1);
    return name.size() > 100 ? std::string(trim(name.substr(0, 100))) : name;
}

}  // namespace cicd::pipeline::gitlab
