#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/model/mount.hpp"
#include "common/pipeline/github/container_options.hpp"
#include "common/pipeline/github/reader.hpp"

#include <algorithm>
#include <utility>

/// `container:` and `services:` of a job.
namespace cicd::pipeline::github {
namespace {

using model::Job;
using model::Service;

/// The two expressions as one text, which the runner evaluates when the image is wanted: secrets stay out of every file.
struct Credentials {
    std::string username, password;
};
constexpr Key<Credentials> credential_keys[] = {
    {"username", [](Reader& r, const Cursor& c, Credentials& k) { k.username = r.text(c); }},
    {"password", [](Reader& r, const Cursor& c, Credentials& k) { k.password = r.text(c); }},
};

void read_credentials(Reader& r, const Cursor& at, model::ContainerOptions& into) {
    Credentials given;
    if (at.kind() == NodeKind::null) return;
    r.keys<Credentials>(at, given, credential_keys, "credentials");
    r.b.require(at, {"username", "password"}, "credentials");
    into.login = given.username + ":" + given.password;
}

void read_volumes(Reader& r, const Cursor& at, model::ContainerOptions& into) {
    if (at.kind() == NodeKind::null) return;
    r.b.each(at, [&](const Cursor& item) {
        auto text = r.text(item);
        if (const auto fits = model::parse_mount(text); !fits && !expr::has_expression(text))
            return r.unsupported(item, "volume " + text, fits.error().message);
        into.volumes.push_back(std::move(text));
    });
}

struct Container {
    model::Image image;
    model::Texts env;
    model::Resources resources;
};

void read_options(Reader& r, const Cursor& at, Container& into) {
    ContainerFlags flags;
    flags.options = std::move(into.image.options);
    read_flags(r, at, "container", flags);
    if (!flags.user.empty()) into.image.user = flags.user;
    into.env.insert(into.env.end(), flags.env.begin(), flags.env.end());
    into.resources.gpu = flags.gpus;
    if (!flags.entrypoint.empty()) r.approximated(at, "container.options --entrypoint", "steps are what runs in a job's container");
    if (!flags.working_directory.empty()) r.approximated(at, "container.options --workdir", "steps run in the workspace");
    if (!flags.health_command.empty()) r.approximated(at, "container.options --health-cmd", "nobody waits for a job's own container");
    into.image.options = std::move(flags.options);
}

void read_options(Reader& r, const Cursor& at, Service& into) {
    ContainerFlags flags;
    flags.options = std::move(into.options);
    read_flags(r, at, "services", flags);
    if (!flags.user.empty()) into.user = flags.user;
    if (!flags.entrypoint.empty()) into.entrypoint = {flags.entrypoint};
    if (!flags.working_directory.empty()) into.working_directory = flags.working_directory;
    if (flags.gpus) r.unsupported(at, "services.options --gpus", "GPUs are the job's: give them to its container");
    into.env.insert(into.env.end(), flags.env.begin(), flags.env.end());
    into.options = std::move(flags.options);
    if (flags.health_command.empty() || flags.health_command == "none") return;
    into.ready = flags.health_command;
    // As long as an engine would go on trying; it is asked more often than that.
    const auto interval = flags.health_interval.value_or(Milliseconds(30'000));
    into.ready_timeout = std::max(Milliseconds(60'000), flags.health_start.value_or(Milliseconds(0)) + interval * flags.health_retries.value_or(3));
}

/// Where a job that has the machine's network is to be seen at another port than its own.
void read_ports(Reader& r, const Cursor& at) {
    for (const auto& port : r.texts(at)) {
        const auto parts = split(port.substr(0, port.find('/')), ':');
        const bool same = parts.size() < 2 || parts[parts.size() - 2] == parts.back();
        if (!same) r.unsupported(at, "container.ports " + port, "a job is at its own ports");
    }
}

constexpr Key<Container> container_keys[] = {
    {"image", [](Reader& r, const Cursor& c, Container& k) { k.image.name = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, Container& k) {
         const auto own = r.text_map(c);
         k.env.insert(k.env.begin(), own.begin(), own.end());
     }},
    {"credentials", [](Reader& r, const Cursor& c, Container& k) { read_credentials(r, c, k.image.options); }},
    {"ports", [](Reader& r, const Cursor& c, Container&) { read_ports(r, c); }},
    {"volumes", [](Reader& r, const Cursor& c, Container& k) { read_volumes(r, c, k.image.options); }},
    {"options", [](Reader& r, const Cursor& c, Container& k) { read_options(r, c, k); }},
};

constexpr Key<Service> service_keys[] = {
    {"image", [](Reader& r, const Cursor& c, Service& s) { s.image = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, Service& s) {
         const auto own = r.text_map(c);
         s.env.insert(s.env.begin(), own.begin(), own.end());
     }},
    {"ports", [](Reader& r, const Cursor& c, Service& s) { s.ports = r.texts(c); }},
    {"command", [](Reader& r, const Cursor& c, Service& s) { s.command = words_of(r.text(c)); }},
    {"entrypoint", [](Reader& r, const Cursor& c, Service& s) { s.entrypoint = words_of(r.text(c)); }},
    {"credentials", [](Reader& r, const Cursor& c, Service& s) { read_credentials(r, c, s.options); }},
    {"volumes", [](Reader& r, const Cursor& c, Service& s) { read_volumes(r, c, s.options); }},
    {"options", [](Reader& r, const Cursor& c, Service& s) { read_options(r, c, s); }},
};

}  // namespace

void read_container(Reader& r, const Cursor& at, Job& job) {
    Container container;
    if (at.kind() == NodeKind::map)
        r.keys<Container>(at, container, container_keys, "container");
    else
        container.image.name = r.text(at);
    if (container.image.name.empty()) return;
    job.image = std::move(container.image);
    job.resources = container.resources;
    job.env.insert(job.env.begin(), container.env.begin(), container.env.end());
}

std::vector<Service> read_services(Reader& r, const Cursor& at) {
    std::vector<Service> services;
    if (at.kind() == NodeKind::null || !r.b.is_map(at, "services by their names")) return services;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        Service service;
        r.count();
        service.name = member.key->text;
        service.mark = r.b.mark(place);
        if (place.kind() == NodeKind::map)
            r.keys<Service>(place, service, service_keys, "a service");
        else
            service.image = r.text(place);
        services.push_back(std::move(service));
    }
    return services;
}

}  // namespace cicd::pipeline::github
