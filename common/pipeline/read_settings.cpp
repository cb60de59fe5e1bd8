#include "common/expr/expression.hpp"
#include "common/model/mount.hpp"
#include "common/pipeline/readers.hpp"

#include <array>
#include <climits>

/// The keys that `defaults`, a stage and a job share.
namespace cicd::pipeline {
namespace {

using model::Job;

void read_directory(Builder& b, const Cursor& c, Job& j) {
    j.working_directory = b.text(c);
}

std::vector<int> read_exit_codes(Builder& b, const Cursor& at) {
    std::vector<int> codes;
    b.each(at, [&](const Cursor& item) {
        if (const auto code = b.integer(item, 1, 255, "an exit code")) codes.push_back(*code);
    });
    if (at.kind() == NodeKind::list && at.node->items.empty()) b.error(at, "must list at least one exit code");
    return codes;
}

constexpr Field<Job> allow_failure_fields[] = {
    {"exitCodes", [](Builder& b, const Cursor& c, Job& j) { j.allowed_exit_codes = read_exit_codes(b, c); }},
};

void read_allow_failure(Builder& b, const Cursor& c, Job& j) {
    j.allow_failure = {};
    j.allowed_exit_codes.clear();
    if (c.kind() != NodeKind::map) {
        j.allow_failure = b.boolean_or_expression(c);
        return;
    }
    b.fields<Job>(c, j, allow_failure_fields, "allowFailure");
    b.require(c, {"exitCodes"}, "allowFailure");
}

constexpr Field<Job> settings[] = {
    {"image", [](Builder& b, const Cursor& c, Job& j) { j.image = read_image(b, c); }},
    {"executor", [](Builder& b, const Cursor& c, Job& j) { j.executor = b.enumerator<model::ExecutorKind>(c); }},
    {"network", [](Builder& b, const Cursor& c, Job& j) { j.network = b.enumerator<model::NetworkMode>(c); }},
    {"system", [](Builder& b, const Cursor& c, Job& j) { j.system = b.enumerator<model::SystemMode>(c); }},
    {"resources", [](Builder& b, const Cursor& c, Job& j) { read_resources(b, c, j.resources); }},
    {"zone", [](Builder& b, const Cursor& c, Job& j) { j.zone = read_zone(b, c); }},
    {"cache", [](Builder& b, const Cursor& c, Job& j) { j.cache = read_caches(b, c); }},
    {"services", [](Builder& b, const Cursor& c, Job& j) { j.services = read_services(b, c); }},
    {"volumes", [](Builder& b, const Cursor& c, Job& j) { j.volumes = read_volumes(b, c); }},
    {"silenceTimeout", [](Builder& b, const Cursor& c, Job& j) { j.silence_timeout = b.duration(c); }},
    {"gitDepth", [](Builder& b, const Cursor& c, Job& j) { j.git_depth = b.integer(c, 0, 1'000'000, "a number of commits"); }},
    {"failOnSilence", [](Builder& b, const Cursor& c, Job& j) { j.fail_on_silence = b.boolean(c); }},
    {"retry", [](Builder& b, const Cursor& c, Job& j) { j.retry = read_retry(b, c); }},
    {"allowFailure", read_allow_failure},
    {"shell", [](Builder& b, const Cursor& c, Job& j) { j.shell = b.text(c); }},
    {"workingDirectory", read_directory},
    {"priority", [](Builder& b, const Cursor& c, Job& j) { j.priority = b.enumerator<model::Priority>(c); }},
    {"reuse", [](Builder& b, const Cursor& c, Job& j) { j.reuse = b.boolean(c); }},
    {"labels", [](Builder& b, const Cursor& c, Job& j) { j.labels = b.literals(c); }},
};

constexpr Field<Job> details[] = {
    {"artifacts", [](Builder& b, const Cursor& c, Job& j) { j.artifacts = read_artifacts(b, c); }},
    {"artifactsFrom", [](Builder& b, const Cursor& c, Job& j) { j.artifacts_from = read_needs(b, c); }},
    {"matrix", [](Builder& b, const Cursor& c, Job& j) { j.matrix = read_matrix(b, c); }},
    {"failFast", [](Builder& b, const Cursor& c, Job& j) { j.fail_fast = b.boolean_or_expression(c); }},
    {"maxParallel",
     [](Builder& b, const Cursor& c, Job& j) { j.max_parallel = b.integer(c, 1, 10'000, "a number of jobs"); }},
    {"reports", [](Builder& b, const Cursor& c, Job& j) { j.reports = read_reports(b, c); }},
    {"outputs", [](Builder& b, const Cursor& c, Job& j) { j.outputs = b.text_map(c, NameRule::identifier); }},
    {"concurrency", [](Builder& b, const Cursor& c, Job& j) { j.concurrency = read_concurrency(b, c); }},
};

constexpr Field<model::ContainerOptions> container_fields[] = {
    {"login", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.login = b.text(c); }},
    {"volumes",
     [](Builder& b, const Cursor& c, model::ContainerOptions& o) {
         b.each(c, [&](const Cursor& item) {
             o.volumes.push_back(b.text(item));
             if (const auto fits = model::parse_mount(o.volumes.back()); !fits && !expr::has_expression(o.volumes.back()))
                 b.error(item, fits.error().message, fits.error().hint);
         });
     }},
    {"hostname", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.hostname = b.text(c); }},
    {"aliases", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.aliases = b.texts(c); }},
    {"hosts", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.hosts = b.texts(c); }},
    {"labels",
     [](Builder& b, const Cursor& c, model::ContainerOptions& o) {
         if (!b.is_map(c, "labels")) return;
         for (const auto& member : c.node->members) o.labels.emplace_back(member.key->text, b.text(c.child(member)));
     }},
    {"tmpfs", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.tmpfs = b.texts(c); }},
    {"ulimits", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.ulimits = b.texts(c); }},
    {"cpu", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.cpu = b.number(c, 0.001, 100'000, "a number of cores", true); }},
    {"memory", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.memory = b.size(c); }},
    {"sharedMemory", [](Builder& b, const Cursor& c, model::ContainerOptions& o) { o.shared_memory = b.size(c); }},
};

constexpr Field<model::Image> image_fields[] = {
    {"name", [](Builder& b, const Cursor& c, model::Image& i) { i.name = b.text(c); }},
    {"pull",
     [](Builder& b, const Cursor& c, model::Image& i) {
         static constexpr std::array<std::string_view, 3> allowed{"always", "missing", "never"};
         i.pull = b.choice(c, allowed);
     }},
    {"user", [](Builder& b, const Cursor& c, model::Image& i) { i.user = b.text(c); }},
    {"entrypoint", [](Builder& b, const Cursor& c, model::Image& i) { i.entrypoint = b.text(c); }},
    {"credentials", [](Builder& b, const Cursor& c, model::Image& i) { i.credentials = b.text(c); }},
    {"options", [](Builder& b, const Cursor& c, model::Image& i) { read_container_options(b, c, i.options); }},
};

constexpr Field<model::Retry> retry_fields[] = {
    {"max", [](Builder& b, const Cursor& c,
               model::Retry& r) { r.max = b.integer(c, 0, 100, "a number of attempts").value_or(0); }},
    {"on",
     [](Builder& b, const Cursor& c, model::Retry& r) {
         b.each(c, [&](const Cursor& item) {
             if (const auto reason = b.enumerator<model::EndReason>(item)) r.on.push_back(*reason);
         });
     }},
    {"exitCodes", [](Builder& b, const Cursor& c, model::Retry& r) { r.exit_codes = read_exit_codes(b, c); }},
    {"backoff",
     [](Builder& b, const Cursor& c, model::Retry& r) { r.backoff = b.duration(c).value_or(Milliseconds{0}); }},
};

constexpr Field<model::Resources> resource_fields[] = {
    {"cpu", [](Builder& b, const Cursor& c,
               model::Resources& r) { r.cpu = b.number(c, 0.001, 100'000, "a number of cores", true); }},
    {"memory", [](Builder& b, const Cursor& c, model::Resources& r) { r.memory = b.size(c); }},
    {"gpu", [](Builder& b, const Cursor& c,
               model::Resources& r) { r.gpu = b.integer(c, 0, 10'000, "a number of GPUs", true); }},
    {"gpuType", [](Builder& b, const Cursor& c, model::Resources& r) { r.gpu_type = b.text(c); }},
    {"storage", [](Builder& b, const Cursor& c, model::Resources& r) { r.storage = b.size(c); }},
    {"pids", [](Builder& b, const Cursor& c,
                model::Resources& r) { r.pids = b.integer(c, 1, INT_MAX, "a number of processes", true); }},
};

constexpr Field<model::ZoneSelector> zone_fields[] = {
    {"name", [](Builder& b, const Cursor& c, model::ZoneSelector& z) { z.name = b.text(c); }},
    {"labels",
     [](Builder& b, const Cursor& c, model::ZoneSelector& z) {
         if (!b.is_map(c, "labels")) return;
         for (const auto& member : c.node->members) z.labels.emplace_back(member.key->text, b.text(c.child(member)));
     }},
    {"strategy",
     [](Builder& b, const Cursor& c, model::ZoneSelector& z) { z.strategy = b.enumerator<model::ZoneStrategy>(c); }},
};

constexpr Field<model::Concurrency> concurrency_fields[] = {
    {"group", [](Builder& b, const Cursor& c, model::Concurrency& g) { g.group = b.text(c); }},
    {"cancelInProgress",
     [](Builder& b, const Cursor& c, model::Concurrency& g) { g.cancel_in_progress = b.boolean_or_expression(c); }},
};

}  // namespace

std::span<const Field<Job>> job_settings() {
    return settings;
}
std::span<const Field<Job>> job_details() {
    return details;
}

void read_container_options(Builder& b, const Cursor& at, model::ContainerOptions& into) {
    b.fields<model::ContainerOptions>(at, into, container_fields, "the options of a container");
}

std::optional<model::Image> read_image(Builder& b, const Cursor& at) {
    model::Image image;
    if (at.kind() == NodeKind::map) {
        b.fields<model::Image>(at, image, image_fields, "an image");
        b.require(at, {"name"}, "an image");
    } else {
        image.name = b.text(at);
    }
    if (image.name.empty() && at.kind() == NodeKind::text) b.error(at, "must name an image");
    return image;
}

std::optional<model::Retry> read_retry(Builder& b, const Cursor& at) {
    model::Retry retry;
    if (at.kind() == NodeKind::map) {
        b.fields<model::Retry>(at, retry, retry_fields, "retry");
        b.require(at, {"max"}, "retry");
    } else {
        retry.max = b.integer(at, 0, 100, "a number of further attempts, or a map with 'max'").value_or(0);
    }
    return retry;
}

void read_resources(Builder& b, const Cursor& at, model::Resources& into) {
    b.fields<model::Resources>(at, into, resource_fields, "resources");
}

std::optional<model::ZoneSelector> read_zone(Builder& b, const Cursor& at) {
    model::ZoneSelector zone;
    if (at.kind() == NodeKind::map)
        b.fields<model::ZoneSelector>(at, zone, zone_fields, "a zone");
    else
        zone.name = b.text(at);
    return zone;
}

std::optional<model::Concurrency> read_concurrency(Builder& b, const Cursor& at) {
    model::Concurrency concurrency;
    if (at.kind() == NodeKind::map) {
        b.fields<model::Concurrency>(at, concurrency, concurrency_fields, "concurrency");
        b.require(at, {"group"}, "concurrency");
    } else {
        concurrency.group = b.text(at);
    }
    return concurrency;
}

}  // namespace cicd::pipeline
