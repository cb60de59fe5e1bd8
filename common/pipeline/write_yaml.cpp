#include "common/base/text.hpp"
#include "common/pipeline/node.hpp"
#include "common/pipeline/parse.hpp"

#include <algorithm>
#include <array>
#include <cmath>

/// YAML for people: block style, short collections in one line, `|` for texts of several lines, quotes only where a
/// text would be read as something else.
namespace cicd::pipeline {
namespace {

constexpr std::size_t line_width = 110;

/// What YAML 1.1 readers take for booleans: quoted for their sake.
bool is_old_boolean(std::string_view text) {
    static constexpr std::array<std::string_view, 6> words{"yes", "no", "on", "off", "y", "n"};
    return text.size() <= 3 && std::find(words.begin(), words.end(), to_lower(text)) != words.end();
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// U+0085, U+2028, U+2029 and U+FEFF mean something to some readers outside of quotes.
bool has_special_space(std::string_view text) {
    return text.find("\xC2\x85") != text.npos || text.find("\xE2\x80\xA8") != text.npos ||
           text.find("\xE2\x80\xA9") != text.npos || text.find("\xEF\xBB\xBF") != text.npos;
}

bool is_plain(std::string_view text, bool in_flow, bool is_key) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ' || has_control(text) || has_special_space(text))
        return false;
    Node read;
    read.text = text;
    resolve_plain(read);
    if (read.kind != NodeKind::text || text == "<<" || text == "=") return false;
    if (!is_key && is_old_boolean(text)) return false;
    // Dates and "12:30:00" are types of YAML 1.1.
    if (text[0] >= '0' && text[0] <= '9' && text.find_first_not_of("0123456789-:.TtZz _") == text.npos) return false;
    constexpr std::string_view indicators = ",[]{}#&*!|>'\"%@`?:";
    if (indicators.find(text[0]) != indicators.npos) return false;
    if (text[0] == '-' && (text.size() == 1 || text[1] == ' ' || text[1] == '-')) return false;
    if (text.starts_with("...")) return false;
    if (text.find(": ") != text.npos || text.find(" #") != text.npos || text.back() == ':') return false;
    if ((in_flow || is_key) && text.find_first_of(",[]{}?:#\"'") != text.npos) return false;
    return true;
}

std::string in_quotes(std::string_view text) {
    const bool awkward = text.find_first_of("\"\\") != text.npos;
    if (awkward && !has_control(text) && !has_special_space(text)) {
        std::string single = "'";
        for (const char c : text) {
            single += c;
            if (c == '\'') single += c;
        }
        return single + "'";
    }
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (c == '\r') {
            result += "\\r";
        } else if (byte < 0x20 || byte == 0x7F) {
            constexpr char hex[] = "0123456789abcdef";
            result += "\\x";
            result += hex[byte >> 4];
            result += hex[byte & 15];
        } else {
            result += c;
        }
    }
    return result + "\"";
}

std::string scalar(const Value& value, bool in_flow) {
    if (value.is_null()) return "null";
    if (value.is_bool()) return value.as_bool() ? "true" : "false";
    if (value.is_number()) {
        const double n = value.as_number();
        if (std::isnan(n)) return ".nan";
        if (std::isinf(n)) return n > 0 ? ".inf" : "-.inf";
        return number_text(n);
    }
    const std::string text = to_valid_utf8(value.as_string());
    return is_plain(text, in_flow, false) ? text : in_quotes(text);
}

std::string key_text(const std::string& key) {
    const std::string text = to_valid_utf8(key);
    return is_plain(text, false, true) ? text : in_quotes(text);
}

/// Only where a reader gives back exactly this text; everything else is quoted.
bool fits_block_scalar(std::string_view text) {
    if (text.find('\n') == text.npos || text.front() == ' ' || text.front() == '\n' || text.front() == '\t' ||
        text.ends_with("\n\n") || has_special_space(text))
        return false;
    for (const auto& line : split(text, '\n'))
        if (!line.empty() && (trim(line).empty() || std::any_of(line.begin(), line.end(), [](char c) {
                                  return static_cast<unsigned char>(c) < 0x20 && c != '\t';
                              })))
            return false;
    return is_valid_utf8(text);
}

bool is_container(const Value& v) {
    return v.is_array() || v.is_object();
}
bool is_empty(const Value& v) {
    return v.is_array() ? v.as_array().empty() : v.as_object().empty();
}

/// Keys whose values are read one below the other, however short they are.
bool wants_lines(std::string_view key) {
    static constexpr std::array<std::string_view, 9> keys{"stages",     "jobs",    "steps", "commands", "triggers",
                                                          "parameters", "include", "data",  "parallel"};
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}
/// The same for what is in them.
bool wants_lines_inside(std::string_view key) {
    return key == "stages" || key == "jobs" || key == "steps" || key == "parallel";
}

class Writer {
public:
    std::string take() { return std::move(out_); }

    void root(const Value& value) {
        if (!is_container(value) || is_empty(value)) {
            flow(value, out_);
            out_ += '\n';
        } else {
            block(value, 0, "");
        }
    }

private:
    static bool flow(const Value& value, std::string& out, std::size_t room = std::string::npos, int depth = 0) {
        if (out.size() > room || depth > 4) return false;
        if (value.is_array()) {
            out += '[';
            bool first = true;
            for (const auto& item : value.as_array()) {
                if (!first) out += ", ";
                first = false;
                if (!flow(item, out, room, depth + 1)) return false;
            }
            out += ']';
        } else if (value.is_object()) {
            out += '{';
            bool first = true;
            for (const auto& [key, member] : value.as_object()) {
                if (wants_lines(key) && is_container(member) && !is_empty(member)) return false;
                if (!first) out += ", ";
                first = false;
                out += key_text(key) + ": ";
                if (!flow(member, out, room, depth + 1)) return false;
            }
            out += '}';
        } else {
            if (room != std::string::npos && value.is_string() && value.as_string().find('\n') != std::string::npos)
                return false;
            out += scalar(value, true);
        }
        return out.size() <= room;
    }

    /// The rest of a line that began with "key:" or "-", and what follows it.
    void rest(const Value& value, std::size_t indent, std::size_t used, std::string_view key, bool lines) {
        if (!is_container(value)) {
            if (value.is_string() && fits_block_scalar(value.as_string()))
                return block_scalar(value.as_string(), indent);
            out_ += ' ' + scalar(value, false) + '\n';
            return;
        }
        std::string line;
        if (is_empty(value) || (!lines && flow(value, line, line_width - std::min(line_width - 40, used)))) {
            out_ += ' ' + (is_empty(value) ? std::string(value.is_array() ? "[]" : "{}") : line) + '\n';
            return;
        }
        out_ += '\n';
        block(value, indent, key);
    }

    void block_scalar(const std::string& text, std::size_t indent) {
        out_ += text.back() == '\n' ? " |\n" : " |-\n";
        auto lines = split(text, '\n');
        if (text.back() == '\n') lines.pop_back();
        for (const auto& line : lines) {
            if (!line.empty()) out_.append(indent, ' ') += line;
            out_ += '\n';
        }
    }

    void block(const Value& value, std::size_t indent, std::string_view key, bool first_inline = false) {
        const bool inside = wants_lines_inside(key);
        if (value.is_array()) {
            for (const auto& item : value.as_array()) {
                if (!first_inline) out_.append(indent, ' ');
                first_inline = false;
                out_ += '-';
                write_item(item, indent, key, inside);
            }
            return;
        }
        for (const auto& [name, member] : value.as_object()) {
            if (!first_inline) out_.append(indent, ' ');
            first_inline = false;
            const std::string text = key_text(name);
            if (text.size() > 1000) out_ += "? ";  // longer keys must be announced
            out_ += text;
            if (text.size() > 1000) (out_ += '\n').append(indent, ' ');
            out_ += ':';
            rest(member, indent + 2, indent + text.size() + 2, name, inside || wants_lines(name));
        }
    }

    void write_item(const Value& item, std::size_t indent, std::string_view key, bool lines) {
        std::string line;
        if (!is_container(item) || is_empty(item)) return rest(item, indent + 2, indent + 2, "", false);
        if (!lines && flow(item, line, line_width - std::min(line_width - 40, indent + 2))) {
            out_ += ' ' + line + '\n';
            return;
        }
        out_ += ' ';
        block(item, indent + 2, item.is_array() ? key : "", true);
    }

    std::string out_;
};

}  // namespace

std::string to_yaml(const Value& value) {
    Writer writer;
    writer.root(value);
    return writer.take();
}

}  // namespace cicd::pipeline
