#include "daemon/app/configuration.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/pipeline/node.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/app/logging.hpp"
#include "daemon/engines/finding.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <tuple>

namespace cicd::app {
namespace {

using pipeline::Node;
using pipeline::NodeKind;

const std::vector<std::string> keys_at_the_top{
    "executors", "engine", "volumes", "actions", "labels", "capacity", "disk", "retention", "uploads", "objects", "logLevel",
    // The CLI keeps its own settings in the same file.
    "output", "color", "socket", "stateDirectory", "autostart", "noAutostart", "noInput"};

/// Reads values by their path and collects what is wrong with them.
class Reader {
public:
    Reader(const Node* root, std::string file) : root_(root), file_(std::move(file)) {}

    /// A section's value; null where it is not given. Keys that the section does not know are noted once.
    const Node* section(const std::string& name, const std::vector<std::string>& known) {
        const auto* node = root_ ? root_->find(name) : nullptr;
        if (!node || node->kind == NodeKind::null) return nullptr;
        if (node->kind != NodeKind::map) {
            wrong(*node, name, "a mapping of " + join(known, ", "));
            return nullptr;
        }
        for (const auto& member : node->members)
            if (std::find(known.begin(), known.end(), member.key->text) == known.end())
                note(*member.key, "'" + name + "." + member.key->text + "' is not known", did_you_mean(member.key->text, known));
        return node;
    }

    template <class Read>
    void value(const Node* in, const std::string& section, const std::string& key, const std::string& expected, Read read) {
        const auto* node = in ? in->find(key) : nullptr;
        if (!node || node->kind == NodeKind::null) return;
        if (!node->is_scalar() || !read(*node)) wrong(*node, section.empty() ? key : section + "." + key, expected);
    }

    void whole_number(const Node* in, const std::string& section, const std::string& key, int least, auto& out) {
        value(in, section, key, "a whole number from " + std::to_string(least) + " on", [&](const Node& node) {
            if (node.kind != NodeKind::number || node.number < least || node.number > 1e9 ||
                node.number != static_cast<double>(static_cast<std::int64_t>(node.number)))
                return false;
            out = static_cast<typename std::decay_t<decltype(out)>::value_type>(node.number);
            return true;
        });
    }
    void size(const Node* in, const std::string& section, const std::string& key, std::optional<std::uint64_t>& out) {
        value(in, section, key, "a size such as 8Gi", [&](const Node& node) {
            const auto bytes = parse_size(node.text);
            if (bytes) out = *bytes;
            return bytes.has_value();
        });
    }
    void age(const Node* in, const std::string& key, std::optional<Milliseconds>& out) {
        value(in, "retention", key, "a duration such as 90d, or 'never'", [&](const Node& node) {
            if (node.text == "never") return out.reset(), true;
            const auto duration = parse_duration(node.text);
            if (duration) out = *duration;
            return duration.has_value();
        });
    }

    void note(const Node& at, const std::string& message, const std::string& suggestion) {
        problems_.push_back({Severity::error, file_, at.line, at.column, "", message, suggestion});
    }
    void wrong(const Node& at, const std::string& key, const std::string& expected) {
        note(at, "'" + key + "' must be " + expected + ", not " + at.describe(), "");
    }
    [[nodiscard]] const std::vector<Diagnostic>& problems() const { return problems_; }

private:
    const Node* root_;
    std::string file_;
    std::vector<Diagnostic> problems_;
};

void read_capacity(Reader& reader, Configuration& out) {
    const auto* capacity = reader.section("capacity", {"slots", "cpu", "memory", "gpu"});
    reader.whole_number(capacity, "capacity", "slots", 1, out.slots);
    reader.whole_number(capacity, "capacity", "gpu", 0, out.gpu);
    reader.size(capacity, "capacity", "memory", out.memory);
    reader.value(capacity, "capacity", "cpu", "a number of cores above 0", [&](const Node& node) {
        if (node.kind != NodeKind::number || node.number <= 0) return false;
        out.cpu = node.number;
        return true;
    });
}

void read_upkeep(Reader& reader, Configuration& out) {
    const auto* disk = reader.section("disk", {"reserve"});
    reader.value(disk, "disk", "reserve", "a size such as 1Gi or a share such as 2%", [&](const Node& node) {
        const auto reserve = upkeep::parse_reserve(node.text);
        if (reserve) out.reserve = *reserve;
        return reserve.has_value();
    });
    const auto* retention = reader.section("retention", {"age", "runs", "logs", "size", "workspaces", "mirrors", "trees", "caches"});
    reader.age(retention, "age", out.retention.age);
    reader.age(retention, "logs", out.retention.logs);
    reader.age(retention, "workspaces", out.retention.workspaces);
    reader.age(retention, "mirrors", out.retention.mirrors);
    reader.whole_number(retention, "retention", "runs", 0, out.retention.runs);
    reader.size(retention, "retention", "size", out.retention.size);
    std::optional<std::uint64_t> trees;
    reader.size(retention, "retention", "trees", trees);
    out.retention.trees = trees.value_or(out.retention.trees);
    std::optional<std::uint64_t> caches;
    reader.size(retention, "retention", "caches", caches);
    out.retention.caches = caches.value_or(out.retention.caches);
    const auto* uploads = reader.section("uploads", {"size", "unpacked"});
    std::optional<std::uint64_t> size, unpacked;
    reader.size(uploads, "uploads", "size", size);
    reader.size(uploads, "uploads", "unpacked", unpacked);
    out.largest_upload = size.value_or(out.largest_upload);
    out.largest_unpacked = unpacked.value_or(out.largest_unpacked);
}

KeySource read_key(Reader& reader, const Node& at, const std::string& where, bool may_be_text) {
    KeySource key;
    if (may_be_text && at.is_scalar()) return key.text = at.text, key;
    const auto* only = at.kind == NodeKind::map && at.members.size() == 1 ? &at.members.front() : nullptr;
    const std::string name = only ? only->key->text : "";
    auto* into = name == "secret" ? &key.secret : name == "env" ? &key.env : name == "file" ? &key.file : nullptr;
    if (into && only->value->is_scalar() && !only->value->text.empty()) *into = only->value->text;
    else reader.wrong(at, where, std::string(may_be_text ? "a text, " : "") + "{secret: NAME}, {env: NAME} or {file: PATH}");
    return key;
}

void read_objects(Reader& reader, Configuration& out) {
    const auto* section = reader.section("objects", {"s3", "local"});
    reader.size(section, "objects", "local", out.local_objects);
    const auto* s3 = section ? section->find("s3") : nullptr;
    if (!s3 || s3->kind == NodeKind::null) return;
    const std::vector<std::string> known{"endpoint", "bucket", "region", "prefix", "accessKey", "secretKey"};
    if (s3->kind != NodeKind::map) return reader.wrong(*s3, "objects.s3", "a mapping of " + join(known, ", "));
    auto& made = out.s3.emplace();
    for (const auto& [key, value] : s3->members)
        if (std::find(known.begin(), known.end(), key->text) == known.end())
            reader.note(*key, "'objects.s3." + key->text + "' is not known", did_you_mean(key->text, known));
    const auto plain = [](const std::string& text) {
        return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == std::string::npos;
    };
    const auto text = [&](const char* key, const std::string& expected, std::string& into, auto fits) {
        const auto* node = s3->find(key);
        if (node && node->is_scalar() && fits(node->text)) into = node->text;
        else if (node || into.empty()) reader.wrong(node ? *node : *s3, std::string("objects.s3.") + key, expected);
    };
    text("endpoint", "an address such as https://s3.example.org", made.endpoint,
         [](const std::string& url) { return url.starts_with("https://") || url.starts_with("http://"); });
    text("bucket", "the name of a bucket", made.bucket, plain);
    text("region", "a region such as eu-central-1", made.region, plain);
    if (s3->find("prefix")) text("prefix", "of letters, digits, '-', '_', '.' and '/'", made.prefix, plain);
    for (const auto& [key, into, may_be_text] : {std::tuple("accessKey", &made.access_key, true), std::tuple("secretKey", &made.secret_key, false)}) {
        const auto* node = s3->find(key);
        if (node) *into = read_key(reader, *node, std::string("objects.s3.") + key, may_be_text);
        else reader.wrong(*s3, "objects.s3", std::string("given with '") + key + "'");
    }
}

/// Of git repositories.
bool is_place(const std::string& text) {
    return text.starts_with("https://") || text.starts_with("http://") || text.starts_with("ssh://") || text.starts_with("file:///");
}

void read_others(Reader& reader, const Node& root, Configuration& out) {
    const auto* executors = reader.section("executors", {"host"});
    reader.value(executors, "executors", "host", "true or false", [&](const Node& node) {
        out.allow_host_executor = node.boolean;
        return node.kind == NodeKind::boolean;
    });
    reader.value(&root, "", "engine", "auto, podman, docker, none or unix:///PATH", [&](const Node& node) {
        out.engine = node.text;
        return engines::check_setting(node.text).has_value();
    });
    if (const auto* volumes = root.find("volumes"); volumes && volumes->kind != NodeKind::null) {
        if (volumes->kind != NodeKind::list) reader.wrong(*volumes, "volumes", "a list of absolute paths");
        for (const auto& item : volumes->items)
            if (item->is_scalar() && item->text.starts_with('/')) out.mountable.push_back(item->text);
            else reader.wrong(*item, "volumes", "a list of absolute paths");
    }
    const auto* actions = reader.section("actions", {"server", "map"});
    reader.value(actions, "actions", "server", "an address such as https://github.com, or none", [&](const Node& node) {
        out.action_server = node.text == "none" ? "" : node.text;
        while (out.action_server.ends_with('/')) out.action_server.pop_back();
        return out.action_server.empty() || is_place(out.action_server);
    });
    if (const auto* map = actions ? actions->find("map") : nullptr) {
        if (map->kind != NodeKind::map) reader.wrong(*map, "actions.map", "a mapping of owner/name to an address or an absolute path");
        for (const auto& [name, place] : map->members) {
            const bool fits = place->is_scalar() && (place->text.starts_with('/') || is_place(place->text));
            if (!fits) reader.wrong(*place, "actions.map." + name->text, "an address or an absolute path");
            else out.action_map.emplace_back(name->text, place->text);
        }
    }
    if (const auto* labels = root.find("labels")) {
        if (labels->kind != NodeKind::map) reader.wrong(*labels, "labels", "a mapping of labels to machine, none or an image");
        for (const auto& [label, place] : labels->members) {
            if (!place->is_scalar() || place->text.empty()) reader.wrong(*place, "labels." + label->text, "machine, none or an image");
            else out.labels.emplace_back(label->text, place->text);
        }
    }
    const auto levels = log_levels();
    reader.value(&root, "", "logLevel", "one of " + join(levels, ", "), [&](const Node& node) {
        out.log_level = node.text;
        return std::find(levels.begin(), levels.end(), node.text) != levels.end();
    });
}

}  // namespace

Result<Configuration> parse_configuration(std::string_view text, const std::string& file) {
    Configuration configuration;
    const auto document = pipeline::load_yaml(text, file);
    const auto fail = [](const std::vector<Diagnostic>& problems) {
        return pipeline::as_error(problems).within("the configuration cannot be used");
    };
    if (!document.root || !document.problems.empty()) return fail(document.problems);
    if (document.root->kind == NodeKind::null) return configuration;
    Reader reader(document.root, file);
    if (document.root->kind != NodeKind::map) {
        reader.wrong(*document.root, "config.yaml", "a mapping");
        return fail(reader.problems());
    }
    read_capacity(reader, configuration);
    read_upkeep(reader, configuration);
    read_objects(reader, configuration);
    read_others(reader, *document.root, configuration);
    if (!reader.problems().empty()) return fail(reader.problems());
    for (const auto& [key, value] : document.root->members) {
        if (std::find(keys_at_the_top.begin(), keys_at_the_top.end(), key->text) != keys_at_the_top.end()) continue;
        const auto hint = did_you_mean(key->text, keys_at_the_top);
        configuration.warnings.push_back(file + ":" + std::to_string(key->line) + ": '" + key->text + "' is not known" +
                                         (hint.empty() ? "" : ": " + hint));
    }
    return configuration;
}

Result<Configuration> read_configuration(const std::filesystem::path& directory) {
    const auto file = directory / "config.yaml";
    const auto with_environment = [](Configuration configuration) {
        const char* server = std::getenv("CICD_ACTIONS_SERVER");
        if (server && *server) configuration.action_server = server == std::string_view("none") ? "" : server;
        return configuration;
    };
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return with_environment({});
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return invalid("CICD_400", "cannot read " + file.string(), "make it readable, or move it away");
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    CICD_TRY(auto configuration, parse_configuration(text, file.string()));
    return with_environment(std::move(configuration));
}

}  // namespace cicd::app
