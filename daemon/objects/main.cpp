#include "daemon/objects/keep.hpp"

#include <cstdio>
#include <exception>

/// `cicd-store`: started by a runner for a job that keeps something, with open descriptors (common/job/keeping.hpp).
int main(int count, char**) {
    if (count != 1) {
        std::fputs("usage: cicd-store\nPuts back and saves what a job keeps; cicd-runner starts it.\n", stderr);
        return 2;
    }
    try {
        return cicd::objects::keep();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-store: %s\n", error.what());
        return 3;
    }
}
