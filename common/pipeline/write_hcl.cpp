#include "common/pipeline/write_hcl.hpp"

#include "common/base/value.hpp"
#include "common/pipeline/parse.hpp"

#include <algorithm>
#include <cctype>

/// HCL as its specification ("HCL Native Syntax Specification") has it: attributes, objects, tuples and quoted templates.
namespace cicd::pipeline {
namespace {

bool is_identifier(const std::string& text) {
    const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    const auto any = [&](char c) { return letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-'; };
    static const std::vector<std::string> words{"true", "false", "null", "for", "if", "in", "else", "endif", "endfor"};
    return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), any) && std::find(words.begin(), words.end(), text) == words.end();
}

std::string in_quotes(const std::string& text) {
    std::string result = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        constexpr std::string_view hex = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') result += "\\n";
        else if (c == '\t') result += "\\t";
        else if (c == '\r') result += "\\r";
        else if (byte < 0x20) result += std::string("\\u00") + hex[byte >> 4] + hex[byte & 15];
        else {
            if (c == '"' || c == '\\') result += '\\';
            // A template would begin here.
            if ((c == '$' || c == '%') && i + 1 < text.size() && text[i + 1] == '{') result += c;
            result += c;
        }
    }
    return result + "\"";
}

void write(const Value& value, int depth, std::string& text) {
    const std::string inner(static_cast<std::size_t>(depth + 1) * 2, ' '), outer(static_cast<std::size_t>(depth) * 2, ' ');
    if (value.is_null()) text += "null";
    else if (value.is_bool()) text += value.as_bool() ? "true" : "false";
    else if (value.is_number()) text += number_text(value.as_number());
    else if (value.is_string()) text += in_quotes(value.as_string());
    else if (value.is_array()) {
        const auto& items = value.as_array();
        const bool plain = std::none_of(items.begin(), items.end(), [](const Value& item) { return item.is_array() || item.is_object(); });
        text += "[";
        for (std::size_t i = 0; i < items.size(); ++i) {
            text += plain ? (i == 0 ? "" : ", ") : "\n" + inner;
            write(items[i], depth + 1, text);
            if (!plain) text += ",";
        }
        text += plain ? "]" : "\n" + outer + "]";
    } else {
        text += "{";
        for (const auto& [key, item] : value.as_object()) {
            text += "\n" + inner + (is_identifier(key) ? key : in_quotes(key)) + " = ";
            write(item, depth + 1, text);
        }
        text += value.as_object().empty() ? "}" : "\n" + outer + "}";
    }
}

}  // namespace

std::string export_hcl(const model::Pipeline& pipeline) {
    const Value value = export_value(pipeline);
    std::string text;
    for (const auto& [key, item] : value.as_object()) {
        text += key + " = ";
        write(item, 0, text);
        text += "\n";
    }
    return text;
}

}  // namespace cicd::pipeline
