#include "common/job/keeping.hpp"
#include "daemon/os/spawn.hpp"
#include "tests/unit/daemon/objects/fixture.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

using namespace cicd;
using namespace cicd::objects;

namespace {

struct Asked {
    int pid = 0;
    os::Fd answer;
};

Asked ask(const Shop& shop, const job::KeepRequest& request) {
    const auto question = os::memory_file("request", job::to_text(request));
    auto answer = os::memory_file("answer", "");
    const os::Fd folder(::open(shop.workspace().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    os::SpawnOptions options;
    options.argv = {CICD_BIN_DIR "/cicd-store"};
    options.fds = {{question->get(), job::keep_request_fd}, {answer->get(), job::keep_answer_fd}, {folder.get(), job::keep_workspace_fd}, {2, 2}};
    const auto pid = os::spawn(options);
    REQUIRE(pid.has_value());
    return {*pid, std::move(*answer)};
}

int wait_for(int pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

job::KeepAnswer answer_of(const Asked& asked) {
    REQUIRE(wait_for(asked.pid) == 0);
    struct stat facts {};
    REQUIRE(::fstat(asked.answer.get(), &facts) == 0);
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    REQUIRE(::pread(asked.answer.get(), text.data(), text.size(), 0) == facts.st_size);
    auto answer = job::read_keep_answer(text);
    REQUIRE(answer.has_value());
    return *answer;
}

job::KeepRequest request(const Shop& shop, job::KeepRequest::Operation operation) {
    job::KeepRequest made;
    made.operation = operation;
    made.store = shop.root.string();
    model::Cache cache;
    cache.key = "deps";
    cache.paths = {"**"};
    made.caches = {cache};
    made.places = {{"/repo", {"branch main"}, "branch main", ""}};
    if (operation == job::KeepRequest::Operation::put_back) return made;
    model::Artifact artifact;
    artifact.name = "all";
    artifact.paths = {"**"};
    made.artifacts = {artifact};
    made.outcomes = {{.key = "deps"}};
    return made;
}

/// Every object is what its name says, and no cache is known that is not whole.
void check_nothing_is_half(const Shop& shop) {
    for (const auto& object : shop.objects()) {
        const auto digest = object.parent_path().filename().string() + object.stem().string();
        INFO(object.string());
        REQUIRE(is_digest(digest));
        CHECK(shop.store().verify(digest).has_value());
    }
    for (const auto& cache : CacheIndex(shop.root).all()) {
        const auto manifest = read_manifest(shop.store(), cache.entry.digest);
        REQUIRE(manifest.has_value());
        for (const auto& object : manifest->objects()) CHECK(shop.store().has(object));
    }
}

}  // namespace

TEST_CASE("whenever a save is killed, nothing of it is half there, and the next one is whole") {
    const Shop shop;
    for (int i = 0; i < 400; ++i) shop.write("many/" + std::to_string(i % 20) + "/" + std::to_string(i), noise(2000, static_cast<unsigned>(i)));
    for (int i = 0; i < 4; ++i) shop.write("large" + std::to_string(i), noise(3'000'000, static_cast<unsigned>(1000 + i)));
    shop.write("dull", std::string(5'000'000, 'd'));
    int killed = 0;
    for (int i = 0; i < 25; ++i) {
        const auto asked = ask(shop, request(shop, job::KeepRequest::Operation::save));
        ::poll(nullptr, 0, i * 3);
        ::kill(asked.pid, SIGKILL);
        killed += WIFSIGNALED(wait_for(asked.pid)) ? 1 : 0;
        check_nothing_is_half(shop);
    }
    CHECK(killed > 0);
    const auto done = answer_of(ask(shop, request(shop, job::KeepRequest::Operation::save)));
    CHECK(!done.error);
    REQUIRE(done.artifacts.size() == 1);
    CHECK(done.artifacts[0].files == 405);
    CHECK(done.caches.at(0).saved);
    check_nothing_is_half(shop);
    REQUIRE(shop.restore(done.artifacts[0].digest, shop.root / "back").has_value());
    CHECK(std::system(("diff -r " + (shop.root / "back").string() + " " + shop.workspace().string()).c_str()) == 0);
}

TEST_CASE("a cache of an earlier boot is looked through before it is used, and is a miss where it is damaged") {
    const Shop shop;
    shop.write("dep", noise(200'000));
    const auto saved = answer_of(ask(shop, request(shop, job::KeepRequest::Operation::save)));
    REQUIRE(saved.caches.at(0).saved);
    const CacheIndex index(shop.root);
    auto known = index.all().at(0);
    const auto of_another_boot = [&] {
        auto entry = known.entry;
        entry.boot = "another";
        REQUIRE(index.put(entry).has_value());
    };
    of_another_boot();
    CHECK(answer_of(ask(shop, request(shop, job::KeepRequest::Operation::put_back))).caches.at(0).hit == model::CacheHit::exact);
    CHECK(index.all().at(0).entry.boot == boot_id());
    of_another_boot();
    const auto object = read_manifest(shop.store(), known.entry.digest)->entries.at(0).digest;
    const auto file = shop.store().path(object, false);
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    REQUIRE(::truncate(file.c_str(), 1000) == 0);
    const auto outcome = answer_of(ask(shop, request(shop, job::KeepRequest::Operation::put_back))).caches.at(0);
    CHECK(outcome.hit == model::CacheHit::miss);
    CHECK(outcome.reason.find("no longer whole") != std::string::npos);
    CHECK(index.all().empty());
}

TEST_CASE("what is no request is answered, not obeyed") {
    const Shop shop;
    const auto question = os::memory_file("request", "{\"operation\":\"save\"}");
    const auto answer = os::memory_file("answer", "");
    os::SpawnOptions options;
    options.argv = {CICD_BIN_DIR "/cicd-store"};
    options.fds = {{question->get(), job::keep_request_fd}, {answer->get(), job::keep_answer_fd}};
    const auto pid = os::spawn(options);
    REQUIRE(pid.has_value());
    CHECK(wait_for(*pid) == 0);
    char text[4096] = {};
    REQUIRE(::pread(answer->get(), text, sizeof text - 1, 0) > 0);
    const auto read = job::read_keep_answer(text);
    REQUIRE(read.has_value());
    CHECK(read->error);
}
