#include "cli/application.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> words(argv + 1, argv + argc);
        return cicd::cli::run_application(words);
    } catch (const std::exception& fault) {
        std::fprintf(stderr,
                     "cicdctl: internal error: %s\n  Please report this together with the command that you typed.\n",
                     fault.what());
        return 3;
    }
}
