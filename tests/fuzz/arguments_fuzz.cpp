// What is typed after `cicdctl`: one word a line.
#include "cli/command.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    std::vector<std::string> words;
    while (!text.empty() && words.size() < 64) {
        // A program's arguments end with a NUL byte, so they hold none.
        const auto line = fuzz::take_line(text);
        words.emplace_back(line.substr(0, line.find('\0')));
    }
    const auto invocation = cli::parse(words);
    if (!invocation) {
        fuzz::require_good(invocation.error());
        fuzz::require(invocation.error().kind == ErrorKind::invalid, "wrong usage is told as such",
                      invocation.error().message);
        return 0;
    }
    const auto* command = invocation->command;
    fuzz::require(invocation->help || invocation->version || command || invocation->arguments.operands.empty(),
                  "words without a command are not accepted");
    if (!command) return 0;
    fuzz::require(invocation->arguments.given.size() == command->all_options().size(), "every option has its place");
    for (const auto& given : invocation->arguments.given) {
        (void)invocation->arguments.number(given.option->long_name(), 0);
        fuzz::require(given.option->many || given.option->value.empty() || given.values.size() <= 1,
                      "of an option that is not repeatable one value counts", given.option->names);
    }
    return 0;
}
