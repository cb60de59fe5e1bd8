#include "common/base/glob.hpp"
#include "common/pipeline/readers.hpp"

#include <array>
#include <unordered_set>

/// What a job keeps, brings along and reports: caches, artifacts, services, volumes, reports.
namespace cicd::pipeline {
namespace {

using namespace model;

/// File globs; those with expressions can only be checked when they are evaluated.
Strings globs(Builder& b, const Cursor& at) {
    Strings list;
    b.each(at, [&](const Cursor& item) {
        list.push_back(b.text(item));
        if (item.kind() == NodeKind::text && list.back().empty()) b.error(item, "an empty path matches nothing");
        if (list.back().empty() || list.back().find("${{") != std::string::npos) return;
        if (const auto fits = glob_match(list.back(), ""); !fits)
            b.error(item, "'" + list.back() + "' is no file pattern: " + fits.error().message, fits.error().hint);
    });
    if (at.kind() == NodeKind::list && list.empty()) b.error(at, "must list at least one path");
    return list;
}

constexpr Field<Cache> cache_fields[] = {
    {"key", [](Builder& b, const Cursor& c, Cache& v) { v.key = b.text(c); }},
    {"restoreKeys", [](Builder& b, const Cursor& c, Cache& v) { v.restore_keys = b.texts(c); }},
    {"paths", [](Builder& b, const Cursor& c, Cache& v) { v.paths = globs(b, c); }},
    {"scope",
     [](Builder& b, const Cursor& c, Cache& v) {
         static constexpr std::array<std::string_view, 3> allowed{"branch", "pipeline", "project"};
         v.scope = b.choice(c, allowed);
     }},
    {"policy",
     [](Builder& b, const Cursor& c, Cache& v) {
         static constexpr std::array<std::string_view, 3> allowed{"pull-push", "pull", "push"};
         v.policy = b.choice(c, allowed);
     }},
    {"ttl", [](Builder& b, const Cursor& c, Cache& v) { v.ttl = b.duration(c); }},
};

constexpr Field<Artifact> artifact_fields[] = {
    {"name", [](Builder& b, const Cursor& c, Artifact& v) { v.name = b.text(c); }},
    {"paths", [](Builder& b, const Cursor& c, Artifact& v) { v.paths = globs(b, c); }},
    {"exclude", [](Builder& b, const Cursor& c, Artifact& v) { v.exclude = globs(b, c); }},
    {"type", [](Builder& b, const Cursor& c, Artifact& v) { v.type = b.text(c); }},
    {"retention", [](Builder& b, const Cursor& c, Artifact& v) { v.retention = b.duration(c); }},
    {"when", [](Builder& b, const Cursor& c, Artifact& v) { v.when = b.enumerator<ArtifactWhen>(c).value_or(v.when); }},
};

constexpr Field<Service> service_fields[] = {
    {"image", [](Builder& b, const Cursor& c, Service& v) { v.image = b.text(c); }},
    {"ready", [](Builder& b, const Cursor& c, Service& v) { v.ready = b.text(c); }},
    {"readyTimeout", [](Builder& b, const Cursor& c, Service& v) { v.ready_timeout = b.duration(c); }},
    {"user", [](Builder& b, const Cursor& c, Service& v) { v.user = b.text(c); }},
    {"command", [](Builder& b, const Cursor& c, Service& v) { v.command = b.texts(c); }},
    {"env", [](Builder& b, const Cursor& c, Service& v) { v.env = b.text_map(c, NameRule::variable); }},
    {"ports", [](Builder& b, const Cursor& c, Service& v) { v.ports = b.texts(c); }},
    {"entrypoint", [](Builder& b, const Cursor& c, Service& v) { v.entrypoint = b.texts(c); }},
    {"workingDirectory", [](Builder& b, const Cursor& c, Service& v) { v.working_directory = b.text(c); }},
    {"options", [](Builder& b, const Cursor& c, Service& v) { read_container_options(b, c, v.options); }},
};

constexpr Field<Volume> volume_fields[] = {
    {"name", [](Builder& b, const Cursor& c, Volume& v) { v.name = b.name(c, NameRule::element); }},
    {"path", [](Builder& b, const Cursor& c, Volume& v) { v.path = b.text(c); }},
    {"size", [](Builder& b, const Cursor& c, Volume& v) { v.size = b.size(c); }},
};

constexpr Field<Coverage> coverage_fields[] = {
    {"cobertura", [](Builder& b, const Cursor& c, Coverage& v) { v.cobertura = b.text(c); }},
    {"lcov", [](Builder& b, const Cursor& c, Coverage& v) { v.lcov = b.text(c); }},
    {"jacoco", [](Builder& b, const Cursor& c, Coverage& v) { v.jacoco = b.text(c); }},
    {"clover", [](Builder& b, const Cursor& c, Coverage& v) { v.clover = b.text(c); }},
    {"threshold", [](Builder& b, const Cursor& c, Coverage& v) { v.threshold = b.number(c, 0, 100, "a percentage"); }},
};

constexpr Field<Reports> report_fields[] = {
    {"junit", [](Builder& b, const Cursor& c, Reports& v) { v.junit = globs(b, c); }},
    {"sarif", [](Builder& b, const Cursor& c, Reports& v) { v.sarif = globs(b, c); }},
    {"coverage",
     [](Builder& b, const Cursor& c, Reports& v) {
         v.coverage.emplace();
         b.fields<Coverage>(c, *v.coverage, coverage_fields, "coverage");
     }},
    {"dotenv", [](Builder& b, const Cursor& c, Reports& v) { v.dotenv = b.text(c); }},
};

/// Maps in a list (a lone map counts as one), each read by its fields and with keys it cannot do without.
template <class T>
std::vector<T> read_list(Builder& b, const Cursor& at, std::span<const Field<T>> fields, std::string_view what,
                         std::initializer_list<std::string_view> required) {
    std::vector<T> list;
    b.each(at, [&](const Cursor& item) {
        T element;
        if constexpr (requires { element.mark; }) element.mark = b.mark(item);
        b.fields(item, element, fields, what);
        b.require(item, required, what);
        list.push_back(std::move(element));
    });
    return list;
}

template <class T>
void refuse_repeated(Builder& b, const Cursor& at, const std::vector<T>& list, std::string_view what) {
    std::unordered_set<std::string_view> seen;
    for (const auto& element : list)
        if (!element.name.empty() && !seen.insert(element.name).second)
            b.error(at, "two " + std::string(what) + " have the name '" + element.name + "'");
}

}  // namespace

std::vector<Cache> read_caches(Builder& b, const Cursor& at) {
    return read_list<Cache>(b, at, cache_fields, "a cache", {"key", "paths"});
}

std::vector<Artifact> read_artifacts(Builder& b, const Cursor& at) {
    auto list = read_list<Artifact>(b, at, artifact_fields, "an artifact", {"name", "paths"});
    refuse_repeated(b, at, list, "artifacts");
    return list;
}

std::vector<Volume> read_volumes(Builder& b, const Cursor& at) {
    auto list = read_list<Volume>(b, at, volume_fields, "a volume", {"name", "path"});
    refuse_repeated(b, at, list, "volumes");
    return list;
}

std::vector<Service> read_services(Builder& b, const Cursor& at) {
    std::vector<Service> services;
    if (!b.is_map(at, "services by name")) return services;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        Service service;
        service.name = member.key->text;
        service.mark = b.mark(place);
        b.check_name(Cursor{member.key, &at, member.key->text, 0}, service.name, NameRule::identifier);
        if (place.node->is_scalar()) {
            service.image = b.text(place);
        } else {
            b.fields<Service>(place, service, service_fields, "a service");
            if (service.image.empty() && service.command.empty())
                b.error(place, "service '" + service.name + "' has neither an image nor a command",
                        "name an image, or a command that runs in the sandbox");
        }
        services.push_back(std::move(service));
    }
    return services;
}

std::optional<Reports> read_reports(Builder& b, const Cursor& at) {
    Reports reports;
    b.fields<Reports>(at, reports, report_fields, "reports");
    return reports;
}

}  // namespace cicd::pipeline
