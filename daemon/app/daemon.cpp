#include "daemon/app/daemon.hpp"

#include "daemon/api/log_watch.hpp"
#include "daemon/api/server.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/copier.hpp"
#include "daemon/app/logging.hpp"
#include "daemon/app/housekeeping.hpp"
#include "daemon/app/images.hpp"
#include "daemon/app/service_manager.hpp"
#include "daemon/objects/collect.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/inotify.hpp"
#include "daemon/scheduler/loop.hpp"
#include "daemon/secrets/vault.hpp"
#include "daemon/upkeep/backup.hpp"
#include "daemon/zones/local.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <future>

namespace cicd::app {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t pool_size = 4;
constexpr auto farewell = std::chrono::milliseconds(500);  // for connections and blocking work, when stopping

Result<void> make_state_directory(const fs::path& directory) {
    const auto error = os::make_private_directory(directory);
    if (!error) return {};
    return unavailable("CICD_503", "cannot create the state directory " + directory.string() + ": " + error.message(),
                       "set CICD_STATE_DIR or --state-dir to a folder that you can write to");
}

bool answers(const fs::path& socket) {
    asio::io_context context;
    asio::local::stream_protocol::socket probe(context);
    boost::system::error_code error;
    probe.connect(asio::local::stream_protocol::endpoint(socket.string()), error);
    return !error;
}

/// A daemon that was just killed holds its lock, and its socket may still take connections, until its last thread is
/// gone some milliseconds later: only one that goes on answering is there.
Result<os::FileLock> take_lock(const fs::path& file, const fs::path& socket) {
    int answered = 0;
    for (int attempt = 0;; ++attempt) {
        auto lock = os::FileLock::try_take(file);
        if (lock || lock.error().kind != ErrorKind::conflict || attempt == 200) return lock;
        answered = answers(socket) ? answered + 1 : 0;
        if (answered == 5) return lock;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

Result<os::FileLock> lock_state(const fs::path& directory, const fs::path& socket) {
    auto lock = take_lock(directory / "cicdd.lock", socket);
    if (lock || lock.error().kind != ErrorKind::conflict) return lock;
    std::ifstream file(directory / "cicdd.pid");
    std::string pid;
    file >> pid;
    return conflict("CICD_409",
                    "another cicdd" + (pid.empty() ? "" : " (pid " + pid + ")") + " serves the state directory " +
                        directory.string(),
                    "stop it with 'cicdctl daemon stop', or choose another --state-dir");
}

scheduler::Capacity capacity_of(const ServeOptions& options, const Configuration& configuration) {
    auto capacity = scheduler::machine_capacity();
    if (configuration.slots) capacity.slots = *configuration.slots;
    if (options.slots) capacity.slots = *options.slots;
    if (configuration.cpu) capacity.cpu = *configuration.cpu;
    if (configuration.memory) capacity.memory = *configuration.memory;
    if (configuration.gpu) capacity.gpu = *configuration.gpu;
    return capacity;
}

auto known_secrets(secrets::Vault& vault) {
    return [&vault](const model::SecretPlace& place) { return vault.known(place); };
}

/// Where an artifact's content is elsewhere; nothing where all is here.
std::function<Result<void>(const std::string&)> fetch_by(const Copier* copier) {
    if (!copier) return {};
    return [copier](const std::string& digest) { return copier->fetch(digest); };
}

zones::LocalOptions zone_options(const fs::path& state_directory, const Configuration& configuration, secrets::Vault& vault,
                                 std::shared_ptr<images::Store> images, const Copier* copier) {
    const auto values = [&vault](const zones::Assignment& job) {
        // In other languages than ours, a secret that nobody set is empty.
        const auto missing = job.spec.dialect == model::Dialect::native ? secrets::Vault::Missing::refused : secrets::Vault::Missing::empty;
        return vault.values(job.spec.secrets, job.place, job.spec.job.str(), missing);
    };
    return {state_directory, {}, Milliseconds(5'000), values, fetch_by(copier), configuration.engine, std::move(images), configuration.mountable};
}

planner::ActionServers action_servers(const Configuration& configuration, bool only_look) {
    return {configuration.action_server, configuration.action_map, only_look};
}

scheduler::SchedulerOptions scheduler_options(const ServeOptions& options, const Configuration& configuration,
                                              secrets::Vault& vault, planner::PinImage pin_image,
                                              std::function<void()> before_accepting, const Copier* copier) {
    scheduler::SchedulerOptions result;
    result.state_directory = options.state_directory;
    result.socket = options.socket;
    result.capacity = capacity_of(options, configuration);
    result.allow_host_executor = configuration.allow_host_executor;
    result.known_secrets = known_secrets(vault);
    result.secret_versions = [&vault](const auto& names, const auto& place) { return vault.versions(names, place); };
    result.is_kept = [store = objects::ObjectStore(options.state_directory / "objects"), copier](const std::string& digest) {
        return objects::is_kept(store, digest) || (copier && copier->fetch(digest));
    };
    result.pin_image = std::move(pin_image);
    result.actions = action_servers(configuration, false);
    result.labels = configuration.labels;
    result.why_no_engine = ask_for_engine(configuration.engine);
    result.mountable = configuration.mountable;
    result.before_accepting = std::move(before_accepting);
    result.warn = [](const std::string& text) { spdlog::warn(log_line(text)); };
    return result;
}

/// From here on nobody reads what is written to standard error, such as a crash's last words: it belongs into the log.
void write_last_words_to(const fs::path& log) {
    const os::Fd file(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file) return;
    ::dup2(file.get(), STDOUT_FILENO);
    ::dup2(file.get(), STDERR_FILENO);
}

/// Every part of a running daemon, in the order in which they need each other.
class Daemon {
public:
    /// What can fail, and must be there before all else.
    struct Opened {
        std::unique_ptr<store::Store> store;
        std::unique_ptr<secrets::Vault> vault;
        std::unique_ptr<Copier> copier;  ///< null: nothing is copied
    };
    Daemon(const ServeOptions& options, const Configuration& configuration, Opened opened,
           std::unique_ptr<api::LogWatch> (*open_logs)(const asio::any_io_executor&))
        : store_(std::move(opened.store)),
          sources_(options.state_directory / "repos"),
          own_vault_(std::move(opened.vault)),
          vault_(*own_vault_),
          copier_(std::move(opened.copier)),
          images_(std::make_shared<images::Store>(options.state_directory / "images")),
          zone_(io_.get_executor(), pool_, sources_,
                zone_options(options.state_directory, configuration, vault_, images_, copier_.get())),
          scheduler_({io_.get_executor(), pool_, *store_, sources_, bus_, zone_, clock_},
                     scheduler_options(options, configuration, vault_, pin_images(images_, configuration.engine, false),
                                       [this] { housekeeping_.look_at_disk(); }, copier_.get())),
          housekeeping_({io_.get_executor(), *store_, options.state_directory, clock_,
                        [this](std::string reason) { scheduler_.pause(std::move(reason)); },
                        [this] { scheduler_.resume_work(); }},
                       configuration.reserve, configuration.retention),
          logs_(open_logs(io_.get_executor())),
          services_{scheduler_, *store_, sources_, bus_, *logs_, pool_,
                    planner::PrepareOptions{.allow_host_executor = configuration.allow_host_executor,
                                            .secrets = known_secrets(vault_), .pin_image = pin_images(images_, configuration.engine, true),
                                            .actions = action_servers(configuration, true),
                                            .labels = configuration.labels, .why_no_engine = ask_for_engine(configuration.engine),
                                            .mountable = configuration.mountable},
                    [this] { return ready_; }, [](std::string_view text) { spdlog::warn(log_line(text)); }, vault_,
                    images_.get(), &housekeeping_},
          background_(io_.get_executor(), [](std::exception_ptr) {}),
          signals_(io_, SIGTERM, SIGINT),
          reload_(io_, SIGHUP),
          config_directory_(options.config_directory) {
        services_.uploads = {configuration.largest_upload, configuration.largest_unpacked};
        services_.fetch = fetch_by(copier_.get());
        if (copier_ && configuration.local_objects)
            housekeeping_.trim_objects_by([this, keep = *configuration.local_objects] { return copier_->trim(keep); });
    }

    Result<void> run(const ServeOptions& options);

private:
    async::Task<void> close();
    void stop(int signal);
    void wait_for_reload();
    void leave();

    events::Bus bus_;
    SystemClock clock_;
    std::unique_ptr<store::Store> store_;
    git::Sources sources_;
    std::unique_ptr<secrets::Vault> own_vault_;
    secrets::Vault& vault_;
    std::unique_ptr<Copier> copier_;
    asio::io_context io_{1};
    asio::thread_pool pool_{pool_size};
    std::shared_ptr<images::Store> images_;
    zones::Local zone_;
    scheduler::Scheduler scheduler_;
    Housekeeping housekeeping_;
    std::unique_ptr<api::LogWatch> logs_;
    api::Services services_;
    async::TaskGroup background_;
    asio::signal_set signals_, reload_;
    fs::path config_directory_;
    std::unique_ptr<api::Server> server_;
    bool ready_ = false;
};

Result<void> Daemon::run(const ServeOptions& options) {
    CICD_CHECK(scheduler_.resume());
    CICD_TRY(server_, api::Server::listen(io_.get_executor(), services_, options.socket));
    asio::post(pool_, git::Sources::warm_up);
    background_.spawn(logs_->run());
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (!error) stop(signal);
    });
    wait_for_reload();
    housekeeping_.start();
    if (copier_) copier_->start();
    if (const auto watcher = os::Inotify::open(); watcher && !watcher->shortage().empty())
        spdlog::warn(log_line("files are looked at instead of watched, which is slower", {{"reason", watcher->shortage()}}));
    if (!options.log.empty()) write_last_words_to(options.log);
    ready_ = true;
    tell_service_manager("READY=1");
    spdlog::info(log_line("serving", {{"version", CICD_VERSION},
                                      {"socket", options.socket.string()},
                                      {"pid", std::to_string(::getpid())}}));
    io_.run();
    leave();
    return {};
}

void Daemon::stop(int signal) {
    spdlog::info(log_line("stopping: running jobs go on and are collected by the next daemon",
                          {{"signal", std::to_string(signal)}}));
    tell_service_manager("STOPPING=1");
    ready_ = false;
    reload_.cancel();
    housekeeping_.stop();
    server_->stop();
    scheduler_.shutdown();
    logs_->stop();
    asio::co_spawn(io_, close(), [this](std::exception_ptr) { io_.stop(); });
}

/// SIGHUP: the log level is read again. Everything else is for the life of a daemon.
void Daemon::wait_for_reload() {
    reload_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        const auto configuration = read_configuration(config_directory_);
        const auto done = configuration ? housekeeping_.set_log_level(configuration->log_level)
                                        : Result<void>(configuration.error());
        if (!done) spdlog::warn(log_line("the configuration was not read again", {{"error", done.error().message}}));
        wait_for_reload();
    });
}

async::Task<void> Daemon::close() {
    using asio::experimental::awaitable_operators::operator||;
    asio::steady_timer limit(io_, farewell);
    co_await (server_->join() || limit.async_wait(asio::use_awaitable));
}

/// What still blocks in the pool, such as a fetch from far away, is not waited for: nothing depends on it.
void Daemon::leave() {
    pool_.stop();
    auto joined = std::async(std::launch::async, [this] {
        pool_.join();
        if (copier_) copier_->stop();
        housekeeping_.join();
    });
    if (joined.wait_for(farewell) == std::future_status::ready) return;
    spdlog::shutdown();
    std::_Exit(0);
}

std::unique_ptr<api::LogWatch> open_logs(const asio::any_io_executor& executor) {
    auto logs = api::LogWatch::open(executor);
    if (!logs) throw std::runtime_error(logs.error().message);
    return std::move(*logs);
}

}  // namespace

Result<void> serve(const ServeOptions& options) {
    ::signal(SIGPIPE, SIG_IGN);
    CICD_TRY(const auto configuration, read_configuration(options.config_directory));
    CICD_CHECK(make_state_directory(options.state_directory));
    CICD_TRY(const auto lock, lock_state(options.state_directory, options.socket));
    CICD_CHECK(upkeep::refuse_half_restored(options.state_directory));
    CICD_CHECK(start_logging({configuration.log_level, options.log}));
    for (const auto& warning : configuration.warnings) spdlog::warn(log_line(warning));
    CICD_CHECK(os::write_durably(options.state_directory / "cicdd.pid", std::to_string(::getpid()) + "\n"));
    CICD_TRY(auto store, store::Store::open(options.state_directory / "state.db"));
    static const SystemClock clock;
    auto vault = std::make_unique<secrets::Vault>(*store, options.state_directory, clock);
    CICD_TRY(auto copier, Copier::make(configuration, options.state_directory, *store, *vault));
    Daemon daemon(options, configuration, {std::move(store), std::move(vault), std::move(copier)}, open_logs);
    return daemon.run(options);
}

}  // namespace cicd::app
