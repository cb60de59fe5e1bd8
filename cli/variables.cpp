#include "cli/variables.hpp"

#include "common/base/text.hpp"

namespace cicd::cli {
namespace {

std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            plain += text[i];
            continue;
        }
        const char c = text[++i];
        if (c == 'n') plain += '\n';
        else if (c == 'r') plain += '\r';
        else if (c == 't') plain += '\t';
        else if (c == '"' || c == '\\' || c == '$') plain += c;
        else plain += '\\', plain += c;
    }
    return plain;
}

/// Where the closing quote is; npos: nowhere.
std::size_t closing(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[0] == '"' && text[i] == '\\') ++i;
        else if (text[i] == text[0]) return i;
    }
    return text.npos;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_variables(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> found;
    int number = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++number;
        const auto end = std::min(text.find('\n', at), text.size());
        auto line = trim(text.substr(at, end - at));
        std::size_t next = end + 1;
        if (line.starts_with("export ")) line = trim(line.substr(7));
        if (line.empty() || line.starts_with('#')) {
            at = next;
            continue;
        }
        const auto equals = line.find('=');
        if (equals == line.npos || equals == 0)
            return invalid("CLI_002", "line " + std::to_string(number) + " of the variables is not NAME=VALUE");
        const std::string name(trim(line.substr(0, equals)));
        const std::size_t begin = static_cast<std::size_t>(line.data() - text.data()) + equals + 1;
        auto value = trim(text.substr(begin, end - begin));
        if (value.starts_with('"') || value.starts_with('\'')) {
            // A value in quotes may go over lines.
            const auto rest = text.substr(static_cast<std::size_t>(value.data() - text.data()));
            const auto close = closing(rest);
            if (close == rest.npos)
                return invalid("CLI_002", "line " + std::to_string(number) + " of the variables has an open quote");
            const auto inside = rest.substr(1, close - 1);
            for (const char c : inside) number += c == '\n';
            found.emplace_back(name, rest[0] == '"' ? unescaped(inside) : std::string(inside));
            next = std::min(text.find('\n', static_cast<std::size_t>(rest.data() - text.data()) + close), text.size() - 1) + 1;
        } else {
            if (const auto comment = value.find(" #"); comment != value.npos) value = trim(value.substr(0, comment));
            found.emplace_back(name, std::string(value));
        }
        at = next;
    }
    return found;
}

}  // namespace cicd::cli
