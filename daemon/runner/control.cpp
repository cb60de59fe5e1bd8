#include "daemon/runner/control.hpp"

#include "common/base/text.hpp"

namespace cicd::runner {

std::string pack(const Program& program) {
    std::string bytes = program.cwd + '\0' + std::to_string(program.argv.size()) + '\0';
    for (const auto& text : program.argv) bytes += text + '\0';
    for (const auto& text : program.env) bytes += text + '\0';
    return bytes;
}

Result<Program> unpack(std::string_view bytes) {
    std::vector<std::string> texts;
    while (!bytes.empty()) {
        const auto end = bytes.find('\0');
        if (end == std::string_view::npos) return internal_error("a step's program is cut off");
        texts.emplace_back(bytes.substr(0, end));
        bytes.remove_prefix(end + 1);
    }
    if (texts.size() < 3) return internal_error("a step's program is incomplete");
    const auto count = std::stoul(texts[1]);
    if (count == 0 || count > texts.size() - 2) return internal_error("a step's program is incomplete");
    const auto env = texts.begin() + 2 + static_cast<std::ptrdiff_t>(count);
    return Program{{texts.begin() + 2, env}, {env, texts.end()}, texts[0]};
}

}  // namespace cicd::runner
