#include "common/pipeline/bitbucket/pipe.hpp"

#include "common/pipeline/gitlab/variables.hpp"

namespace cicd::pipeline::bitbucket {
namespace {

/// For a shell, within double quotes: variables count, nothing else does.
std::string in_quotes(const std::string& text) {
    std::string result = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' || c == '\\' || c == '`' || (c == '$' && text.substr(i + 1, 1) == "(")) result += '\\';
        result += c;
    }
    return gitlab::escaped(result + "\"");
}

bool is_name(const std::string& text) {
    return !text.empty() && (text[0] < '0' || text[0] > '9') &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == text.npos;
}

void add_variable(gitlab::Reader& r, const Node& key, const Node& value, std::string& text) {
    if (!is_name(key.text)) return r.error(key, "'" + key.text + "' is no name of a variable", "letters, digits and _");
    if (value.kind != NodeKind::list) {
        text += "export " + key.text + "=" + in_quotes(r.text(value)) + "\n";
        return;
    }
    const auto all = r.texts(value);
    for (std::size_t i = 0; i < all.size(); ++i) text += "export " + key.text + "_" + std::to_string(i) + "=" + in_quotes(all[i]) + "\n";
    text += "export " + key.text + "_COUNT=" + std::to_string(all.size()) + "\n";
}

}  // namespace

std::string pipe_image(const std::string& pipe) {
    constexpr std::string_view plain = "docker://", official = "atlassian/";
    if (pipe.starts_with(plain)) return pipe.substr(plain.size());
    return pipe.starts_with(official) ? "bitbucketpipelines/" + pipe.substr(official.size()) : pipe;
}

model::Step pipe_step(gitlab::Reader& r, const Node& item) {
    const auto name = r.text(*item.find("pipe"));
    std::string text;
    for (const auto& [key, value] : item.members) {
        if (key->text == "variables") {
            if (value->kind == NodeKind::map)
                for (const auto& [variable, given] : value->members) add_variable(r, *variable, *given, text);
            else if (value->kind != NodeKind::null) r.error(*value, "the variables of a pipe must be a map, not " + value->describe());
        } else if (key->text != "pipe" && key->text != "name") {
            r.error(*key, "unknown key '" + key->text + "' in a pipe", "pipe, name and variables");
        }
    }
    text += "for start in /pipe.sh /usr/bin/pipe.sh; do [ ! -x $start ] || exec $start; done\n"
            "[ ! -f /pipe.py ] || exec python3 /pipe.py\n"
            "echo 'the image has neither /pipe.sh nor /pipe.py, by which pipes are started' >&2\nexit 127\n";
    return {.name = gitlab::escaped(name), .run = std::move(text), .shell = "sh", .mark = r.mark(item)};
}

model::Artifact all_files(const std::string& job, const model::Mark& mark) {
    model::Artifact artifact;
    artifact.name = "files of " + job;
    artifact.paths = {"**"};
    artifact.retention = Milliseconds(24 * 3'600'000);
    artifact.mark = mark;
    return artifact;
}

}  // namespace cicd::pipeline::bitbucket
