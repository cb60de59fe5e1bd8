#include "daemon/actions/results.hpp"

#include "common/base/base64.hpp"
#include "common/base/paths.hpp"
#include "common/codec/json.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/keeping.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cicd::actions {
namespace {

std::string for_url(std::string_view bytes) {
    auto text = to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    std::erase(text, '=');
    return text;
}

/// The toolkit takes it for a JSON Web Token and reads in it which run and job it is for. Only the end has to be guessed.
Result<std::string> make_token(const model::JobSpec& spec) {
    char random[32];
    if (::getrandom(random, sizeof random, 0) != sizeof random) return os::last_error("the system gives no random bytes");
    const Object header{{"alg", "HS256"}, {"typ", "JWT"}};
    const Object payload{{"scp", "Actions.Results:" + spec.run.str() + ":" + spec.job.str()}};
    return for_url(codec::to_json(header)) + "." + for_url(codec::to_json(payload)) + "." + for_url(std::string_view(random, sizeof random));
}

}  // namespace

Result<void> Results::start() {
    CICD_TRY(const auto socket, job_.listen());
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return os::last_error("the socket has no address");
    job::ResultsRequest request;
    CICD_TRY(request.token, make_token(job_.spec()));
    job_.hide(request.token);
    request.store = job_.spec().store;
    request.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    request.places = job_.keeping().places_of({});
    request.needed = job_.spec().needed;
    request.artifacts = told_ = job_.artifacts();
    CICD_TRY(const auto question, os::memory_file("request", job::to_text(request)));
    CICD_TRY(changes_, os::memory_file("changes", ""));
    CICD_TRY(known_, os::memory_file("known", ""));
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-results").string()};
    options.env.emplace();
    options.cwd = "/";
    options.new_session = true;
    options.death_signal = SIGKILL;
    options.fds = {{question.get(), job::results_request_fd}, {socket.get(), job::results_socket_fd},
                   {changes_.get(), job::results_changes_fd}, {known_.get(), job::results_known_fd}, {STDERR_FILENO, STDERR_FILENO}};
    CICD_TRY(pid_, os::spawn(options));
    url_ = request.url + "/";
    token_ = request.token;
    return {};
}

void Results::start_once(int step) {
    if (pid_ != 0 || failed_) return;
    const auto started = start();
    failed_ = !started;
    if (failed_) job_.note(step, "artifacts and caches of actions cannot be served: " + started.error().message);
}

void Results::add_variables(int step, model::Texts& env) {
    start_once(step);
    if (pid_ == 0) return;
    tell();
    for (const char* name : {"ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_RUNTIME_URL"}) runner::put(env, name, url_);
    runner::put(env, "ACTIONS_RUNTIME_TOKEN", token_);
    runner::put(env, "ACTIONS_CACHE_SERVICE_V2", "true");
}

/// What other steps have kept meanwhile.
void Results::tell() {
    const auto& now = job_.artifacts();
    const auto holds = [](const auto& list, const auto& artifact) { return std::find(list.begin(), list.end(), artifact) != list.end(); };
    std::string lines;
    for (const auto& known : told_)
        if (!holds(now, known)) lines += job::to_line({std::nullopt, known.name});
    for (const auto& artifact : now)
        if (!holds(told_, artifact)) lines += job::to_line({artifact, ""});
    told_ = now;
    if (!lines.empty()) (void)!::write(known_.get(), lines.data(), lines.size());
}

void Results::collect() {
    if (!changes_) return;
    for (auto& change : job::read_changes(changes_.get(), collected_)) {
        const auto name = change.kept ? change.kept->name : change.removed;
        for (auto* list : {&job_.artifacts(), &told_}) {
            std::erase_if(*list, [&](const auto& known) { return known.name == name; });
            if (change.kept) list->push_back(*change.kept);
        }
    }
}

void Results::stop() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = 0;
    failed_ = true;
}

void Results::end() {
    stop();
    collect();
}

}  // namespace cicd::actions
