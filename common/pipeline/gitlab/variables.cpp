#include "common/pipeline/gitlab/variables.hpp"

#include <algorithm>
#include <cctype>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t longest = 256 * 1024;

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    for (std::size_t at = 0;;) {
        const auto next = text.find("${{", at);
        result += text.substr(at, next == text.npos ? next : next - at);
        if (next == text.npos) return result;
        result += "${{ '${{' }}";
        at = next + 3;
    }
}

void Variables::set(const std::string& name, Variable variable) {
    if (variables_.insert_or_assign(name, std::move(variable)).second) order_.push_back(name);
}

void Variables::set_later(const std::string& name, std::string expression) {
    if (const auto found = variables_.find(name); found != variables_.end()) found->second.later = std::move(expression);
}

void Variables::add(const Variables& others) {
    for (const auto& name : others.order_) set(name, others.variables_.at(name));
}

void Variables::remove(const std::string& name) {
    if (variables_.erase(name) > 0) std::erase(order_, name);
}

const Variable* Variables::find(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
}

std::string Variables::value_of(const std::string& name, Purpose purpose, std::vector<std::string>& open) const {
    const auto* variable = find(name);
    if (!variable || std::find(open.begin(), open.end(), name) != open.end()) return "";
    if (purpose == Purpose::run && !variable->later.empty()) return variable->later;
    if (variable->late) return purpose == Purpose::run ? variable->value : "";
    if (!variable->expand) return purpose == Purpose::run ? escaped(variable->value) : variable->value;
    open.push_back(name);
    auto value = expand(variable->value, purpose, open);
    open.pop_back();
    return value;
}

/// $NAME, ${NAME}, and $$ for a dollar sign.
std::string Variables::expand(std::string_view text, Purpose purpose, std::vector<std::string>& open) const {
    std::string result, plain;
    const auto flush = [&] {
        result += purpose == Purpose::run ? escaped(plain) : plain;
        plain.clear();
    };
    for (std::size_t i = 0; i < text.size() && result.size() < longest;) {
        if (text[i] != '$' || i + 1 == text.size()) {
            plain += text[i++];
            continue;
        }
        const char next = text[i + 1];
        if (next == '$') {
            plain += '$';
            i += 2;
            continue;
        }
        const bool braced = next == '{';
        const auto begin = i + (braced ? 2 : 1);
        auto end = begin;
        while (end < text.size() && (braced ? text[end] != '}' : is_name(text[end]))) ++end;
        if (end == begin || (braced && end == text.size())) {
            plain += text[i++];
            continue;
        }
        flush();
        result += value_of(std::string(text.substr(begin, end - begin)), purpose, open);
        i = end + (braced ? 1 : 0);
    }
    flush();
    return result;
}

std::string Variables::expand(std::string_view text) const {
    std::vector<std::string> open;
    return expand(text, Purpose::run, open);
}

std::string Variables::expand_known(std::string_view text) const {
    std::vector<std::string> open;
    return expand(text, Purpose::decision, open);
}

std::optional<std::string> Variables::known(const std::string& name) const {
    const auto* variable = find(name);
    if (!variable || variable->late) return std::nullopt;
    std::vector<std::string> open;
    return value_of(name, Purpose::decision, open);
}

model::Texts Variables::environment() const {
    model::Texts texts;
    for (const auto& name : order_) {
        std::vector<std::string> open;
        texts.emplace_back(name, value_of(name, Purpose::run, open));
    }
    return texts;
}

std::string slug(std::string_view text) {
    std::string result;
    for (const char c : text.substr(0, 63))
        result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '-';
    while (result.ends_with('-')) result.pop_back();
    return result.substr(std::min(result.find_first_not_of('-'), result.size()));
}

}  // namespace cicd::pipeline::gitlab
