#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/github/reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace cicd::pipeline::github {
namespace {

using model::Job;
using model::Matrix;

void read_combinations(Reader& r, const Cursor& at, std::vector<Value>& list, std::string& expression) {
    if (at.kind() == NodeKind::null) return;
    if (auto whole = r.b.whole_expression(at)) {
        expression = std::move(*whole);
        return;
    }
    r.b.each(at, [&](const Cursor& item) {
        r.count();
        if (r.b.is_map(item, "axis: value")) list.push_back(r.value(item));
    });
}

void read_axis(Reader& r, const Cursor& key, const Cursor& at, Matrix& matrix) {
    model::Axis axis;
    r.count();
    axis.name = r.text(key);
    if (auto whole = r.b.whole_expression(at))
        axis.expression = std::move(*whole);
    else if (at.kind() != NodeKind::null)
        r.b.each(at, [&](const Cursor& item) { axis.values.push_back(r.value(item)); });
    matrix.axes.push_back(std::move(axis));
}

std::optional<Matrix> read_matrix(Reader& r, const Cursor& at) {
    Matrix matrix;
    if (auto whole = r.b.whole_expression(at)) {
        matrix.expression = std::move(*whole);
        return matrix;
    }
    if (!r.b.is_map(at, "axis: [values]")) return std::nullopt;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        if (member.key->text == "include") {
            r.count();
            read_combinations(r, place, matrix.include, matrix.include_expression);
        } else if (member.key->text == "exclude") {
            r.count();
            read_combinations(r, place, matrix.exclude, matrix.exclude_expression);
        } else {
            read_axis(r, Cursor{member.key, &at, member.key->text, 0}, place, matrix);
        }
    }
    const bool empty = matrix.axes.empty() && matrix.include.empty() && matrix.include_expression.empty();
    if (empty) r.b.error(at, "a matrix needs an axis or 'include'");
    return matrix;
}

constexpr Key<Job> strategy_keys[] = {
    {"matrix", [](Reader& r, const Cursor& c, Job& j) { j.matrix = read_matrix(r, c); }},
    {"fail-fast", [](Reader& r, const Cursor& c, Job& j) { j.fail_fast = r.flag(c); }},
    {"max-parallel",
     [](Reader& r, const Cursor& c, Job& j) {
         if (r.b.whole_expression(c))
             r.approximated(c, "max-parallel", "a limit that an expression gives is not held");
         else
             j.max_parallel = r.b.integer(c, 1, 1'000'000, "a number of jobs", true);
     }},
};

struct Container {
    model::Image image;
    model::Texts env;
};

void not_carried(Reader& r, const Cursor& at, const char* what, const char* reason) {
    if (at.kind() != NodeKind::null) r.unsupported(at, what, reason);
}

/// The words of a command line, with their quotes taken off.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (const char c : text) {
        if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? 0 : c;
            open = true;
        } else if (quote == 0 && (c == ' ' || c == '\n' || c == '\t')) {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(std::move(word));
    return words;
}

/// Of an engine's options, the check of health is what a job waits for.
void read_health(Reader& r, const Cursor& at, model::Service& service) {
    const auto words = words_of(r.text(at));
    Milliseconds interval{30'000};
    double retries = 3;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        const auto name = words[i].substr(0, equals);
        if (!name.starts_with("--health-")) {
            if (name.starts_with('-'))
                r.unsupported(at, "services.options " + name, "no engine is used; of its options only the check of health is known");
            continue;
        }
        const auto value = equals != std::string::npos ? words[i].substr(equals + 1) : i + 1 < words.size() ? words[++i] : "";
        r.count();
        if (name == "--health-cmd") service.ready = value;
        if (name == "--health-retries") retries = std::strtod(value.c_str(), nullptr);
        if (name == "--health-interval")
            if (const auto time = parse_duration(value)) interval = *time;
    }
    if (service.ready.empty() || !(retries > 0) || retries > 1000) return;
    service.ready_timeout = std::max(Milliseconds(60'000), interval * static_cast<int>(retries));
}

constexpr Key<Container> container_keys[] = {
    {"image", [](Reader& r, const Cursor& c, Container& k) { k.image.name = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, Container& k) { k.env = r.text_map(c); }},
    {"credentials",
     [](Reader& r, const Cursor& c, Container&) { not_carried(r, c, "container.credentials", "images are pulled without a login"); }},
    {"ports",
     [](Reader& r, const Cursor& c, Container&) { not_carried(r, c, "container.ports", "jobs share the machine's network"); }},
    {"volumes",
     [](Reader& r, const Cursor& c, Container&) {
         not_carried(r, c, "container.volumes", "folders of this machine are not mounted into jobs");
     }},
    {"options",
     [](Reader& r, const Cursor& c, Container&) {
         not_carried(r, c, "container.options", "no engine is used, so its options mean nothing");
     }},
};

constexpr Key<model::Service> service_keys[] = {
    {"image", [](Reader& r, const Cursor& c, model::Service& s) { s.image = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, model::Service& s) { s.env = r.text_map(c); }},
    {"ports", [](Reader& r, const Cursor& c, model::Service& s) { s.ports = r.texts(c); }},
    {"command", [](Reader& r, const Cursor& c, model::Service& s) { s.command = r.texts(c); }},
    {"entrypoint",
     [](Reader& r, const Cursor& c, model::Service&) { not_carried(r, c, "services.entrypoint", "the image's own is run"); }},
    {"credentials",
     [](Reader& r, const Cursor& c, model::Service&) {
         not_carried(r, c, "services.credentials", "images are pulled without a login");
     }},
    {"volumes",
     [](Reader& r, const Cursor& c, model::Service&) {
         not_carried(r, c, "services.volumes", "folders of this machine are not mounted into services");
     }},
    {"options", [](Reader& r, const Cursor& c, model::Service& s) { read_health(r, c, s); }},
};

}  // namespace

void read_strategy(Reader& r, const Cursor& at, Job& job) {
    if (at.kind() == NodeKind::null) return;
    if (r.b.whole_expression(at)) {
        r.unsupported(at, "strategy", "a whole strategy from one expression; give 'matrix' an expression instead");
        return;
    }
    r.keys<Job>(at, job, strategy_keys, "strategy");
}

void read_container(Reader& r, const Cursor& at, Job& job) {
    Container container;
    if (at.kind() == NodeKind::map)
        r.keys<Container>(at, container, container_keys, "container");
    else
        container.image.name = r.text(at);
    if (container.image.name.empty()) return;
    job.image = std::move(container.image);
    job.env.insert(job.env.begin(), container.env.begin(), container.env.end());
}

std::vector<model::Service> read_services(Reader& r, const Cursor& at) {
    std::vector<model::Service> services;
    if (at.kind() == NodeKind::null || !r.b.is_map(at, "services by their names")) return services;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        model::Service service;
        r.count();
        service.name = member.key->text;
        service.mark = r.b.mark(place);
        if (place.kind() == NodeKind::map)
            r.keys<model::Service>(place, service, service_keys, "a service");
        else
            service.image = r.text(place);
        services.push_back(std::move(service));
    }
    return services;
}

}  // namespace cicd::pipeline::github
