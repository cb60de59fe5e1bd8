#include "common/pipeline/parse.hpp"
#include "daemon/planner/planner.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

/// cicd-bench-pipeline FILE ROUNDS [validate|plan]: what reading, checking and planning one pipeline takes in process.
/// Prints one line for each round: what, milliseconds.
namespace {

using namespace cicd;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int measure(const std::string& file, int rounds, std::string_view only) {
    std::ifstream input(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    planner::PlanRequest request;
    request.read_file = [](const std::string& path) -> Result<std::string> { return not_found("SOURCE_004", "no " + path); };
    for (int round = 0; round < rounds; ++round) {
        const auto start = Clock::now();
        const auto parsed = pipeline::parse_pipeline(text, file);
        if (only != "plan") std::printf("validate %.4f\n", milliseconds_since(start));
        if (!parsed.ok()) {
            std::fprintf(stderr, "%s\n", pipeline::as_error(parsed.problems).message.c_str());
            return 1;
        }
        if (only == "validate") continue;
        const auto plan = planner::make_plan(parsed.value, request);
        if (!plan) {
            std::fprintf(stderr, "%s\n", plan.error().message.c_str());
            return 1;
        }
        std::printf("plan %.4f\n", milliseconds_since(start));
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::fputs("usage: cicd-bench-pipeline FILE ROUNDS [validate|plan]\n", stderr);
        return 2;
    }
    try {
        return measure(arguments[1], std::atoi(arguments[2]), count > 3 ? arguments[3] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-bench-pipeline: %s\n", error.what());
        return 1;
    }
}
