#include "daemon/results/server.hpp"
#include "daemon/results/service.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace {

using namespace cicd;

Result<job::ResultsRequest> read_request() {
    struct stat facts {};
    if (::fstat(job::results_request_fd, &facts) != 0) return os::last_error("there is no request");
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    if (::pread(job::results_request_fd, text.data(), text.size(), 0) != facts.st_size) return os::last_error("the request cannot be read");
    return job::read_results_request(text);
}

}  // namespace

/// `cicd-results`: started by a runner for a job with actions of JavaScript, with open descriptors (common/job/results.hpp).
int main(int count, char**) {
    if (count != 1) {
        std::fputs("usage: cicd-results\nServes artifacts and caches to actions of one job; cicd-runner starts it.\n", stderr);
        return 2;
    }
    try {
        ::umask(022);
        ::signal(SIGPIPE, SIG_IGN);
        const auto request = read_request();
        if (!request) {
            std::fprintf(stderr, "cicd-results: %s\n", request.error().message.c_str());
            return 3;
        }
        results::Service service(*request);
        results::serve(job::results_socket_fd, [&](results::Request& asked) { return service.answer(asked); });
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-results: %s\n", error.what());
        return 3;
    }
}
