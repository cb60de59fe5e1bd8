#include "common/codec/json.hpp"
#include "common/job/results.hpp"
#include "daemon/objects/caches.hpp"
#include "daemon/objects/tree.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/results/blobs.hpp"
#include "tests/unit/daemon/objects/fixture.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace cicd;

namespace {

struct Answer {
    int status = 0;
    std::string header, body;
    [[nodiscard]] Value json() const {
        const auto value = codec::parse_json(body);
        return value ? *value : Value();
    }
};

/// The program itself, asked by plain requests.
class Program {
public:
    explicit Program(const objects::Shop& shop, std::string write = "branch main") {
        const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address_;
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
        REQUIRE(::listen(socket.get(), 16) == 0);
        REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address_), &size) == 0);
        job::ResultsRequest request;
        request.store = shop.root.string();
        request.token = "word";
        request.url = "http://127.0.0.1:1";
        request.places = {"/repo", {write, "branch main"}, write, "it only reads"};
        const auto question = os::memory_file("request", job::to_text(request));
        changes = std::move(*os::memory_file("changes", ""));
        known = std::move(*os::memory_file("known", ""));
        os::SpawnOptions options;
        options.argv = {CICD_BIN_DIR "/cicd-results"};
        options.fds = {{question->get(), job::results_request_fd}, {socket.get(), job::results_socket_fd},
                       {changes.get(), job::results_changes_fd}, {known.get(), job::results_known_fd}, {2, 2}};
        const auto started = os::spawn(options);
        REQUIRE(started.has_value());
        pid_ = *started;
    }
    ~Program() { kill(); }
    void kill() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    [[nodiscard]] os::Fd connect() const {
        os::Fd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
        return connection;
    }
    [[nodiscard]] Answer ask(const std::string& method, std::string target, const std::string& body = "", const std::string& headers = "",
                             const std::string& token = "word") const {
        if (target.starts_with("http://")) target.erase(0, target.find('/', 7));
        const auto connection = connect();
        const auto text = method + " " + target + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer " + token +
                          "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
        REQUIRE(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
        std::string all;
        char buffer[4096];
        for (ssize_t n = 0; (n = ::recv(connection.get(), buffer, sizeof buffer, 0)) > 0;) all.append(buffer, static_cast<std::size_t>(n));
        const auto end = all.find("\r\n\r\n");
        REQUIRE(end != all.npos);
        return {std::stoi(all.substr(9, 3)), all.substr(0, end), all.substr(end + 4)};
    }
    [[nodiscard]] Answer artifacts(const std::string& call, const std::string& body) const {
        return ask("POST", "/twirp/github.actions.results.api.v1.ArtifactService/" + call, body);
    }
    [[nodiscard]] Answer caches(const std::string& call, const std::string& body) const {
        return ask("POST", "/twirp/github.actions.results.api.v1.CacheService/" + call, body);
    }

    os::Fd changes, known;

private:
    sockaddr_in address_{};
    int pid_ = 0;
};

}  // namespace

TEST_CASE("nothing is answered without the token, nor a blob without its word") {
    const objects::Shop shop;
    const Program program(shop);
    CHECK(program.ask("POST", "/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts", "{}", "", "wore").status == 401);
    CHECK(program.ask("PUT", "/cicd/blobs/blob?sig=", "x").status == 403);
    CHECK(program.ask("PUT", "/cicd/blobs/blob?sig=%00", "x").status == 400);
    CHECK(program.artifacts("ListArtifacts", "{}").status == 200);
    CHECK(program.artifacts("ListArtifacts", "[").status == 400);
    CHECK(program.artifacts("Nothing", "{}").status == 404);
    CHECK(program.artifacts("CreateArtifact", R"({"name": "../up"})").status == 400);
}

TEST_CASE("blocks become a cache in the order of their list, and ranges of it can be read") {
    const objects::Shop shop;
    const Program program(shop);
    const auto made = program.caches("CreateCacheEntry", R"({"key": "deps-1", "version": "v"})").json();
    REQUIRE(made["ok"] == Value(true));
    const auto url = made["signed_upload_url"].as_string();
    CHECK(program.ask("PUT", url + "&comp=block&blockid=Mg%3D%3D", "world").status == 201);
    CHECK(program.ask("PUT", url + "&comp=block&blockid=MQ%3D%3D", "hello ").status == 201);
    CHECK(program.ask("PUT", url + "&comp=blocklist", "<BlockList><Latest>Mw==</Latest></BlockList>").status == 400);
    CHECK(program.ask("PUT", url + "&comp=blocklist", "<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>").status == 201);
    CHECK(program.caches("GetCacheEntryDownloadURL", R"({"key": "deps-1", "version": "v"})").json()["ok"] == Value(false));
    CHECK(program.caches("FinalizeCacheEntryUpload", R"({"key": "deps-1", "version": "v", "size_bytes": "11"})").json()["ok"] == Value(true));
    CHECK(program.caches("CreateCacheEntry", R"({"key": "deps-1", "version": "v"})").json()["ok"] == Value(false));
    const auto found = program.caches("GetCacheEntryDownloadURL", R"({"key": "deps-2", "restore_keys": ["deps-"], "version": "v"})").json();
    CHECK(found["matched_key"] == Value("deps-1"));
    const auto from = found["signed_download_url"].as_string();
    CHECK(program.ask("GET", from).body == "hello world");
    const auto part = program.ask("GET", from, "", "Range: bytes=6-8\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == "wor");
    CHECK(program.ask("GET", from, "", "x-ms-range: bytes=6-\r\n").body == "world");
    CHECK(program.ask("GET", from, "", "Range: bytes=11-\r\n").status == 416);
    CHECK(program.ask("HEAD", from).header.find("Content-Length: 11") != std::string::npos);
    CHECK(program.caches("GetCacheEntryDownloadURL", R"({"key": "deps-1", "version": "other"})").json()["ok"] == Value(false));
}

TEST_CASE("the older protocol's pieces have to be whole") {
    const objects::Shop shop;
    const Program program(shop);
    const std::string base = "/_apis/artifactcache/";
    CHECK(program.ask("GET", base + "cache?keys=a%2Cb&version=v").status == 204);
    const auto reserved = program.ask("POST", base + "caches", R"({"key": "a", "version": "v"})");
    REQUIRE(reserved.status == 201);
    const auto cache = base + "caches/" + number_text(reserved.json()["cacheId"].as_number());
    CHECK(program.ask("PATCH", cache, "def", "Content-Range: bytes 3-5/*\r\n").status == 204);
    CHECK(program.ask("POST", cache, R"({"size": 6})").status == 400);
    CHECK(program.ask("PATCH", cache, "abcd", "Content-Range: bytes 0-2/*\r\n").status == 400);
    CHECK(program.ask("PATCH", cache, "abc", "Content-Range: bytes 0-2/*\r\n").status == 204);
    CHECK(program.ask("POST", cache, R"({"size": 6})").status == 204);
    const auto found = program.ask("GET", base + "cache?keys=a&version=v").json();
    CHECK(found["cacheKey"] == Value("a"));
    CHECK(program.ask("GET", found["archiveLocation"].as_string()).body == "abcdef");
}

TEST_CASE("a pull request reads the base's caches and writes only its own; who may not write at all is told") {
    const objects::Shop shop;
    const auto save = [](const Program& program, const std::string& key) {
        const auto made = program.caches("CreateCacheEntry", R"({"key": ")" + key + R"(", "version": "v"})").json();
        if (made["ok"] != Value(true)) return false;
        CHECK(program.ask("PUT", made["signed_upload_url"].as_string(), key).status == 201);
        return program.caches("FinalizeCacheEntryUpload", R"({"key": ")" + key + R"(", "version": "v"})").json()["ok"] == Value(true);
    };
    const auto has = [](const Program& program, const std::string& key) {
        return program.caches("GetCacheEntryDownloadURL", R"({"key": ")" + key + R"(", "version": "v"})").json()["ok"] == Value(true);
    };
    const Program base(shop), pull(shop, "pull request 7"), reader(shop, "");
    CHECK(save(base, "of-base"));
    CHECK(save(pull, "of-pull"));
    CHECK(has(pull, "of-base"));
    CHECK(has(pull, "of-pull"));
    CHECK_FALSE(has(base, "of-pull"));
    CHECK_FALSE(save(reader, "none"));
}

TEST_CASE("what is no archive becomes no artifact") {
    const objects::Shop shop;
    const Program program(shop);
    const auto url = program.artifacts("CreateArtifact", R"({"name": "made"})").json()["signed_upload_url"].as_string();
    CHECK(program.artifacts("FinalizeArtifact", R"({"name": "other"})").status == 404);
    CHECK(program.ask("PUT", url, "no zip at all").status == 201);
    CHECK(program.artifacts("FinalizeArtifact", R"({"name": "made", "size": "13"})").status == 400);
    std::uint64_t offset = 0;
    CHECK(job::read_changes(program.changes.get(), offset).empty());
    CHECK(program.artifacts("ListArtifacts", "{}").json()["artifacts"].as_array().empty());
}

TEST_CASE("killed in the middle of uploads, it leaves nothing") {
    const objects::Shop shop;
    Program program(shop);
    const auto artifact = program.artifacts("CreateArtifact", R"({"name": "made"})").json()["signed_upload_url"].as_string();
    const auto cache = program.caches("CreateCacheEntry", R"({"key": "a", "version": "v"})").json()["signed_upload_url"].as_string();
    CHECK(program.ask("PUT", artifact + "&comp=block&blockid=MQ%3D%3D", std::string(100'000, 'x')).status == 201);
    CHECK(program.ask("PUT", cache, std::string(100'000, 'x')).status == 201);
    // And one that is still coming.
    const auto connection = program.connect();
    const auto begin = "PUT " + artifact.substr(artifact.find('/', 7)) + "&comp=block&blockid=Mg%3D%3D HTTP/1.1\r\nHost: here\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n";
    REQUIRE(::send(connection.get(), begin.data(), begin.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(begin.size()));
    char told[64];
    REQUIRE(::recv(connection.get(), told, sizeof told, 0) > 0);  // it waits for the body
    CHECK(program.ask("PUT", artifact + "&comp=blocklist", "<BlockList><Latest>MQ==</Latest></BlockList>").status == 409);
    program.kill();
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(shop.root)) files += entry.is_regular_file() ? 1 : 0;
    CHECK(files == 0);
    CHECK(objects::CacheIndex(shop.root).all().empty());
    const Program again(shop);
    CHECK(again.caches("GetCacheEntryDownloadURL", R"({"key": "a", "version": "v"})").json()["ok"] == Value(false));
    std::uint64_t offset = 0;
    CHECK(job::read_changes(program.changes.get(), offset).empty());
}

TEST_CASE("lists of blocks are read strictly") {
    CHECK(results::read_block_list("<?xml version=\"1.0\"?><BlockList><Latest>a</Latest><Committed>b</Committed></BlockList>")->size() == 2);
    CHECK_FALSE(results::read_block_list("<BlockList><Latest>a</Wrong></BlockList>").has_value());
    CHECK_FALSE(results::read_block_list("<BlockList><Latest>a").has_value());
}
