#include "common/expr/json.hpp"

#include "common/base/text.hpp"
#include "common/expr/case_fold.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <unordered_map>

namespace cicd::expr {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::variant<Value, JsonFault> document() {
        auto value = this->value(0);
        skip_space();
        if (value && at_ < text_.size()) fail("there is something after the value");
        if (!value || !why_.empty()) return JsonFault{fault_, why_};
        return std::move(*value);
    }

private:
    std::nullopt_t fail(const char* why) {
        if (why_.empty()) {
            why_ = why;
            fault_ = at_;
        }
        return std::nullopt;
    }

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_space() {
        while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
    }

    bool take(char wanted) {
        skip_space();
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    std::optional<Value> value(int depth) {
        skip_space();
        if (depth > deepest_json) return fail("it is nested too deeply");
        if (at_ >= text_.size()) return fail("it ends too early");
        switch (peek()) {
            case '{': return object(depth);
            case '[': return array(depth);
            case '"': {
                auto text = string();
                if (!text) return std::nullopt;
                return Value(std::move(*text));
            }
            case 't': return word("true", true);
            case 'f': return word("false", false);
            case 'n': return word("null", nullptr);
            default: return number();
        }
    }

    std::optional<Value> word(std::string_view name, Value meaning) {
        if (text_.substr(at_, name.size()) != name) return fail("a value is expected here");
        at_ += name.size();
        return meaning;
    }

    std::optional<Value> number() {
        const std::size_t start = at_;
        if (peek() == '-') ++at_;
        if (!is_digit(peek())) return fail("a value is expected here");
        if (peek() == '0')
            ++at_;
        else
            while (is_digit(peek())) ++at_;
        if (peek() == '.') {
            ++at_;
            if (!digits()) return std::nullopt;
        }
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            if (!digits()) return std::nullopt;
        }
        return Value(std::strtod(std::string(text_.substr(start, at_ - start)).c_str(), nullptr));
    }

    bool digits() {
        if (!is_digit(peek())) fail("a digit is expected here");
        while (is_digit(peek())) ++at_;
        return why_.empty();
    }

    std::optional<Value> array(int depth) {
        ++at_;
        Array items;
        if (take(']')) return Value(std::move(items));
        do {
            auto item = value(depth + 1);
            if (!item) return std::nullopt;
            items.push_back(std::move(*item));
        } while (take(','));
        if (!take(']')) return fail("',' or ']' is expected here");
        return Value(std::move(items));
    }

    /// The last of equal keys counts; of keys that differ only in case, only the first can be read, so it is kept.
    std::optional<Value> object(int depth) {
        ++at_;
        std::vector<Object::Member> members;
        std::unordered_map<std::string, std::size_t> places;
        if (!take('}')) {
            do {
                skip_space();
                if (peek() != '"') return fail("a key in double quotes is expected here");
                auto key = string();
                if (!key) return std::nullopt;
                if (!take(':')) return fail("':' is expected here");
                auto item = value(depth + 1);
                if (!item) return std::nullopt;
                const auto [place, is_new] = places.emplace(to_upper(*key), members.size());
                if (is_new)
                    members.emplace_back(std::move(*key), std::move(*item));
                else if (members[place->second].first == *key)
                    members[place->second].second = std::move(*item);
            } while (take(','));
            if (!take('}')) return fail("',' or '}' is expected here");
        }
        return Value(Object::of_unique(std::move(members)));
    }

    std::optional<std::string> string() {
        ++at_;
        std::string result;
        for (;;) {
            if (at_ >= text_.size()) return fail("the string is not closed");
            const char c = text_[at_];
            if (static_cast<unsigned char>(c) < 0x20) return fail("a control character must be escaped");
            ++at_;
            if (c == '"') return result;
            if (c != '\\') {
                result += c;
            } else if (!escape(result)) {
                return std::nullopt;
            }
        }
    }

    bool escape(std::string& result) {
        static constexpr std::string_view letters = "\"\\/bfnrt";
        static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const auto letter = letters.find(peek());
        if (at_ < text_.size() && letter != std::string_view::npos) {
            result += meanings[letter];
            ++at_;
            return true;
        }
        if (peek() != 'u') return fail("this escape is unknown"), false;
        ++at_;
        auto unit = hex();
        if (!unit) return false;
        char32_t character = *unit;
        if (character >= 0xD800 && character < 0xDC00 && text_.substr(at_, 2) == "\\u") {
            const std::size_t back = at_;
            at_ += 2;
            unit = hex();
            if (!unit) return false;
            if (*unit >= 0xDC00 && *unit < 0xE000)
                character = 0x10000 + ((character - 0xD800) << 10) + (*unit - 0xDC00);
            else
                at_ = back;
        }
        if (character >= 0xD800 && character < 0xE000) character = 0xFFFD;  // half a pair has no place in UTF-8
        append_utf8(result, character);
        return true;
    }

    std::optional<char32_t> hex() {
        char32_t number = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            const int digit = is_digit(c)            ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) return fail("four hexadecimal digits are expected here");
            number = number * 16 + static_cast<char32_t>(digit);
        }
        return number;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t fault_ = 0;
    std::string why_;
};

void write_string(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += digits[c >> 4];
                    out += digits[c & 0xF];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

void write(std::string& out, const Value& value, int depth);

void new_line(std::string& out, int depth) { out.append(1, '\n').append(static_cast<std::size_t>(depth) * 2, ' '); }

void write_array(std::string& out, const Array& items, int depth) {
    if (items.empty()) {
        out += "[]";
        return;
    }
    char before = '[';
    for (const auto& item : items) {
        out += before;
        before = ',';
        new_line(out, depth + 1);
        write(out, item, depth + 1);
    }
    new_line(out, depth);
    out += ']';
}

void write_object(std::string& out, const Object& object, int depth) {
    if (object.empty()) {
        out += "{}";
        return;
    }
    char before = '{';
    for (const auto& [key, item] : object) {
        out += before;
        before = ',';
        new_line(out, depth + 1);
        write_string(out, key);
        out += ": ";
        write(out, item, depth + 1);
    }
    new_line(out, depth);
    out += '}';
}

void write(std::string& out, const Value& value, int depth) {
    if (value.is_null() || depth > deepest_json + 1)
        out += "null";
    else if (value.is_bool())
        out += value.as_bool() ? "true" : "false";
    else if (value.is_number())
        out += std::isfinite(value.as_number()) ? number_text(value.as_number()) : "null";
    else if (value.is_string())
        write_string(out, value.as_string());
    else if (value.is_array())
        write_array(out, value.as_array(), depth);
    else
        write_object(out, value.as_object(), depth);
}

}  // namespace

std::variant<Value, JsonFault> read_json(std::string_view text) { return Reader(text).document(); }

std::string write_json(const Value& value) {
    std::string out;
    write(out, value, 0);
    return out;
}

}  // namespace cicd::expr
