#include "daemon/engines/build.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/place.hpp"
#include "daemon/engines/run.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

namespace {

int usage() {
    std::fputs("usage: cicd-container JOBDIR [SERVICE]\n"
               "       cicd-container --find [SETTING]\n"
               "       cicd-container --build\n"
               "       cicd-container --run JOBDIR\n"
               "Makes and removes the container of one job, or of one of its services; cicd-runner starts it. --find says which engine jobs get.\n", stderr);
    return 2;
}

/// For `cicdctl doctor`: the engine in one line, or why there is none and what to do about it in two.
int find(const std::string& setting) {
    const auto here = cicd::engines::what_is_here(setting);
    if (here) return std::printf("%s\n", here->c_str()), 0;
    std::fprintf(stderr, "%s\n%s\n", here.error().message.c_str(), here.error().hint.c_str());
    return 3;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::string_view first = count > 1 ? arguments[1] : "";
        if (first == "--version") return std::puts("cicd-container " CICD_VERSION), 0;
        if (first == "--build") return count == 2 ? cicd::engines::build_image() : usage();
        if (first == "--run") return count == 3 ? cicd::engines::run_container(arguments[2]) : usage();
        if (first == "--find") return count > 3 ? usage() : find(count == 3 ? arguments[2] : "auto");
        if (count < 2 || count > 3 || first.starts_with("-")) return usage();
        return cicd::engines::hold_container(std::string(first), count == 3 ? arguments[2] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-container: %s\n", error.what());
        return 3;
    }
}
