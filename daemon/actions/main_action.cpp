#include "common/job/action.hpp"
#include "common/pipeline/front.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

cicd::Result<cicd::model::Action> read(const std::string& file) {
    struct stat facts {};
    std::string text;
    if (::fstat(cicd::job::action_text_fd, &facts) == 0) text.resize(static_cast<std::size_t>(facts.st_size));
    if (::pread(cicd::job::action_text_fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return cicd::internal_error("the text of " + file + " did not come");
    auto parsed = cicd::pipeline::read_action(text, file);
    if (!parsed.ok()) return cicd::pipeline::as_error(parsed.problems);
    return std::move(parsed.value);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: cicd-action FILE\nTells cicd-runner what an action says; cicd-runner starts it.\n", stderr);
        return 2;
    }
    try {
        const auto answer = cicd::job::to_text(read(arguments[1]));
        for (std::size_t at = 0; at < answer.size();) {
            const auto n = ::write(cicd::job::action_answer_fd, answer.data() + at, answer.size() - at);
            if (n <= 0) return 3;
            at += static_cast<std::size_t>(n);
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-action: %s\n", error.what());
        return 3;
    }
}
