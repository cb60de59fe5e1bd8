#include "daemon/app/copier.hpp"

#include "common/base/text.hpp"
#include "daemon/app/logging.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace cicd::app {
namespace {

constexpr auto look_every = std::chrono::milliseconds(500);
constexpr auto longest_pause = std::chrono::minutes(5);
constexpr std::size_t most_of_a_key = 4096;

Result<std::string> value_of(const KeySource& from, secrets::Vault& vault, const char* what) {
    std::string value = from.text;
    if (!from.env.empty()) {
        const char* given = std::getenv(from.env.c_str());
        if (!given || !*given) return invalid("CICD_400", std::string(what) + ": the daemon's environment has no " + from.env, "set it where the daemon is started");
        value = given;
    } else if (!from.file.empty()) {
        std::ifstream stream(from.file, std::ios::binary);
        if (!stream) return invalid("CICD_400", std::string(what) + ": cannot read " + from.file, "make it readable to the daemon");
        value.assign(std::istreambuf_iterator<char>(stream), {});
        value.resize(std::min(value.size(), most_of_a_key));
    } else if (!from.secret.empty()) {
        CICD_TRY(const auto values, vault.values({from.secret}, {}, "the object store"));
        for (const auto& [name, one] : values)
            if (one.is_string()) value = one.as_string();
    }
    return std::string(trim(value));
}

}  // namespace

Result<std::unique_ptr<Copier>> Copier::make(const Configuration& configuration, const std::filesystem::path& state,
                                             store::Store& store, secrets::Vault& vault) {
    if (!configuration.s3) return std::unique_ptr<Copier>();
    const auto& given = *configuration.s3;
    remote::S3Settings settings;
    settings.endpoint = given.endpoint;
    settings.bucket = given.bucket;
    settings.region = given.region;
    settings.prefix = given.prefix;
    CICD_TRY(settings.access_key, value_of(given.access_key, vault, "objects.s3.accessKey"));
    CICD_TRY(settings.secret_key, value_of(given.secret_key, vault, "objects.s3.secretKey"));
    return std::make_unique<Copier>(store, remote::Copies(objects::ObjectStore(state / "objects"), remote::S3(std::move(settings)), state / "copies"));
}

Copier::Copier(store::Store& store, remote::Copies copies) : store_(store), copies_(std::move(copies)) {}

Copier::~Copier() { stop(); }

void Copier::start() {
    thread_ = std::thread([this] { work(); });
}

void Copier::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<void> Copier::push_new() {
    while (!stopping_) {
        CICD_TRY(const auto added, store_.artifacts_after(done_up_to_, 100));
        for (const auto& [number, digest] : added) {
            if (stopping_) return {};
            const auto pushed = copies_.push(digest);
            // One that is gone from this disk cannot be copied any more; 'doctor --deep' tells of it.
            if (!pushed && !pushed.error().code.starts_with("OBJECT")) return pushed.error();
            done_up_to_ = number;
        }
        if (added.size() < 100) return {};
    }
    return {};
}

void Copier::work() {
    std::string told;
    std::chrono::milliseconds pause = look_every;
    while (!stopping_) {
        const auto version = static_cast<std::int64_t>(store_.version());
        Result<void> done;
        if (version != seen_version_ || !told.empty()) done = push_new();
        if (done) {
            seen_version_ = version;
            if (!told.empty()) spdlog::info(log_line("artifacts are copied to the object store again"));
            told.clear();
            pause = look_every;
        } else {
            if (told != done.error().message) spdlog::warn(log_line("artifacts are not copied to the object store", {{"error", done.error().message}}));
            told = done.error().message;
            pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
        }
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, pause, [this] { return stopping_.load(); });
    }
}

}  // namespace cicd::app
