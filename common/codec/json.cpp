#include "common/codec/json.hpp"

#include "common/base/text.hpp"
#include "common/codec/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace cicd::codec {

namespace {

constexpr std::size_t max_depth = 64;
/// Members are found by walking an object; without a limit a hostile body would cost quadratic time.
constexpr std::size_t max_members = 10'000;

struct Place {
    int line = 1;
    int column = 1;
};

/// Columns count characters, not bytes.
Place place_of(std::string_view text, std::size_t offset) {
    Place place;
    for (const char c : text.substr(0, std::min(offset, text.size()))) {
        if (c == '\n')
            place = {place.line + 1, 1};
        else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U)
            ++place.column;
    }
    return place;
}

Error json_error(std::string_view text, std::size_t offset, const std::string& what) {
    const Place place = place_of(text, offset);
    const auto where = "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
    Error error = invalid("CICD_400", "not valid JSON: " + where + ": " + what);
    Diagnostic problem;
    problem.line = place.line;
    problem.column = place.column;
    problem.message = what;
    error.problems.push_back(std::move(problem));
    return error;
}

/// Walks the text and tells the parser's client how far it is.
struct Cursor {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    const char* at = nullptr;
    const char** furthest = nullptr;

    reference operator*() const { return *at; }
    Cursor& operator++() {
        ++at;
        if (furthest) *furthest = at;
        return *this;
    }
    bool operator==(const Cursor& other) const { return at == other.at; }
};

/// Builds a Value from the parser's events.
class Builder : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit Builder(std::string_view text) : text_(text), furthest_(text.data()) {}

    const char** furthest() { return &furthest_; }
    Result<Value> take() && {
        if (error_) return *std::move(error_);
        return std::move(root_);
    }

    bool null() override { return put({}); }
    bool boolean(bool b) override { return put(b); }
    bool number_integer(number_integer_t n) override { return put(static_cast<double>(n)); }
    bool number_unsigned(number_unsigned_t n) override { return put(static_cast<double>(n)); }
    bool number_float(number_float_t n, const string_t&) override { return put(n); }
    bool string(string_t& s) override { return put(std::move(s)); }
    bool binary(binary_t&) override { return false; }  // not in JSON

    bool start_object(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(false); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        Frame& top = frames_.back();
        if (top.object.contains(name)) return fail("duplicate key \"" + to_valid_utf8(name) + "\"");
        if (top.object.size() >= max_members)
            return fail("an object with more than " + std::to_string(max_members) + " members");
        top.key = std::move(name);
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& ex) override {
        // "[json.exception.…] parse error at line 1, column 2: syntax error while parsing value - …"
        const std::string what = ex.what();
        const auto column = what.find(", column ");
        const auto colon = what.find(": ", column == std::string::npos ? what.find(']') : column);
        const std::string text = colon == std::string::npos ? what : what.substr(colon + 2);
        error_ = json_error(text_, position == 0 ? consumed() : position - 1, to_valid_utf8(text));
        return false;
    }

private:
    struct Frame {
        bool is_object = false;
        Object object;
        Array array;
        std::string key;
    };

    std::size_t consumed() const { return static_cast<std::size_t>(furthest_ - text_.data()); }
    bool fail(const std::string& what) {
        error_ = json_error(text_, consumed() == 0 ? 0 : consumed() - 1, what);
        return false;
    }
    bool put(Value value) {
        if (frames_.empty())
            root_ = std::move(value);
        else if (Frame& top = frames_.back(); top.is_object)
            top.object.set(std::move(top.key), std::move(value));
        else
            top.array.push_back(std::move(value));
        return true;
    }
    bool open(bool is_object) {
        if (frames_.size() >= max_depth) return fail("nested more than " + std::to_string(max_depth) + " deep");
        frames_.emplace_back().is_object = is_object;
        return true;
    }
    bool close() {
        Frame done = std::move(frames_.back());
        frames_.pop_back();
        return done.is_object ? put(std::move(done.object)) : put(std::move(done.array));
    }

    std::string_view text_;
    const char* furthest_;
    std::vector<Frame> frames_;
    Value root_;
    std::optional<Error> error_;
};

void write_number(double number, std::string& out) {
    if (!std::isfinite(number)) {
        out += "null";  // as JavaScript does
        return;
    }
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (number == std::trunc(number) && std::fabs(number) <= exact) {
        std::array<char, 24> buffer{};
        const auto end =
            std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<long long>(number)).ptr;
        out.append(buffer.data(), end);
        return;
    }
    out += number_text(number);
}

class Writer {
public:
    explicit Writer(int indent) : indent_(indent) {}

    std::string take() && { return std::move(out_); }

    void write(const Value& value) {
        if (value.is_null())
            out_ += "null";
        else if (value.is_bool())
            out_ += value.as_bool() ? "true" : "false";
        else if (value.is_number())
            write_number(value.as_number(), out_);
        else if (value.is_string())
            append_json_string(value.as_string(), out_);
        else if (value.is_array())
            write_array(value.as_array());
        else
            write_object(value.as_object());
    }

private:
    void write_array(const Array& array) {
        out_ += '[';
        ++level_;
        bool first = true;
        for (const Value& item : array) {
            next(first);
            write(item);
        }
        end(first, ']');
    }
    void write_object(const Object& object) {
        out_ += '{';
        ++level_;
        bool first = true;
        for (const auto& [key, member] : object) {
            next(first);
            append_json_string(key, out_);
            out_ += indent_ < 0 ? ":" : ": ";
            write(member);
        }
        end(first, '}');
    }
    void next(bool& first) {
        if (!first) out_ += ',';
        first = false;
        new_line();
    }
    void end(bool empty, char bracket) {
        --level_;
        if (!empty) new_line();
        out_ += bracket;
    }
    void new_line() {
        if (indent_ < 0) return;
        out_ += '\n';
        out_.append(static_cast<std::size_t>(indent_ * level_), ' ');
    }

    int indent_;
    int level_ = 0;
    std::string out_;
};

}  // namespace

Result<Value> parse_json(std::string_view text) {
    Builder builder(text);
    const Cursor begin{text.data(), builder.furthest()};
    const Cursor end{text.data() + text.size(), nullptr};
    nlohmann::json::sax_parse(begin, end, &builder, nlohmann::json::input_format_t::json, true);
    return std::move(builder).take();
}

std::string to_json(const Value& value, int indent) {
    Writer writer(indent);
    writer.write(value);
    return std::move(writer).take();
}

}  // namespace cicd::codec
