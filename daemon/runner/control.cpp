#include "daemon/runner/control.hpp"

#include <cstring>

namespace cicd::runner {
namespace {

void put(std::string& bytes, std::uint32_t number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put(std::string& bytes, std::string_view text) {
    put(bytes, static_cast<std::uint32_t>(text.size()));
    bytes += text;
}

void put(std::string& bytes, const std::vector<std::string>& texts) {
    put(bytes, static_cast<std::uint32_t>(texts.size()));
    for (const auto& text : texts) put(bytes, text);
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}

    std::uint32_t number() {
        std::uint32_t value = 0;
        const auto bytes = take(sizeof value);
        if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number())); }
    std::vector<std::string> texts() {
        std::vector<std::string> list;
        for (auto count = number(); count > 0 && whole_; --count) list.push_back(text());
        return list;
    }
    [[nodiscard]] bool whole() const { return whole_; }
    [[nodiscard]] bool done() const { return left_.empty(); }

private:
    std::string_view take(std::size_t size) {
        whole_ = whole_ && size <= left_.size();
        if (!whole_) return {};
        const auto bytes = left_.substr(0, size);
        left_.remove_prefix(size);
        return bytes;
    }
    std::string_view left_;
    bool whole_ = true;
};

}  // namespace

std::string pack(const Program& program) {
    std::string bytes;
    put(bytes, program.cwd);
    put(bytes, program.argv);
    put(bytes, program.env);
    for (const auto& file : program.files) {
        put(bytes, file.path);
        put(bytes, file.text);
        put(bytes, static_cast<std::uint32_t>(file.mode));
        put(bytes, file.given_back ? 1u : 0u);
    }
    return bytes;
}

Result<Program> unpack(std::string_view bytes) {
    Reader reader(bytes);
    Program program;
    program.cwd = reader.text();
    program.argv = reader.texts();
    program.env = reader.texts();
    while (reader.whole() && !reader.done()) {
        auto& file = program.files.emplace_back();
        file.path = reader.text();
        file.text = reader.text();
        file.mode = static_cast<int>(reader.number());
        file.given_back = reader.number() != 0;
    }
    if (!reader.whole() || program.argv.empty()) return internal_error("a step's program is incomplete");
    return program;
}

}  // namespace cicd::runner
