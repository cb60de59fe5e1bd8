#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace cicd;
using namespace cicd::test;

/// Actions of JavaScript that keep artifacts and caches by the protocol of the official toolkit.
namespace {

namespace fs = std::filesystem;

bool has_node() { return run({"sh", "-c", "command -v node"}).code == 0; }

/// The toolkit, installed and bundled once beside the programs under test; empty where it cannot be had.
fs::path toolkit() {
    const auto folder = fs::path(program("cicdctl")).parent_path().parent_path() / "npm-toolkit";
    const auto bundle = folder / "toolkit.cjs";
    if (fs::exists(bundle) || !has_node() || run({"sh", "-c", "command -v npm"}).code != 0) return fs::exists(bundle) ? bundle : fs::path();
    fs::create_directories(folder);
    write_file(folder / "entry.cjs", "exports.artifact = require('@actions/artifact').default;\nexports.cache = require('@actions/cache');\n");
    (void)run({"npm", "install", "--prefix", folder.string(), "--no-audit", "--no-fund", "@actions/artifact@2.3.2", "@actions/cache@4.1.0",
               "esbuild@0.25.0"},
              {.limit = std::chrono::seconds(240)});
    (void)run({(folder / "node_modules/.bin/esbuild").string(), (folder / "entry.cjs").string(), "--bundle", "--platform=node",
               "--outfile=" + (folder / "toolkit.new.cjs").string()});
    if (fs::exists(folder / "toolkit.new.cjs")) fs::rename(folder / "toolkit.new.cjs", bundle);
    fs::remove_all(folder / "node_modules");
    return fs::exists(bundle) ? bundle : fs::path();
}

const std::string description = "name: keeps\ninputs: {do: {required: true}}\nruns: {using: node20, main: index.js}\n";

std::string job(const std::string& name, const std::string& what, const std::string& needs = "") {
    return "  " + name + ":\n    runs-on: ubuntu-latest\n" + (needs.empty() ? "" : "    needs: " + needs + "\n") +
           "    steps:\n      - uses: actions/checkout@v4\n      - {uses: ./keeps, with: {do: " + what + "}}\n";
}

}  // namespace

TEST_CASE("an action with the official toolkit uploads artifacts, and other jobs download them") {
    const auto bundle = toolkit();
    if (bundle.empty()) {
        MESSAGE("skipped: the toolkit cannot be had from npm here");
        return;
    }
    const World world;
    const GitRepository repository{
        {".github/workflows/ci.yml", "on: push\njobs:\n" + job("build", "upload") + job("test", "download", "build") +
                                         "  native:\n    runs-on: ubuntu-latest\n    needs: build\n    steps:\n"
                                         "      - {uses: actions/download-artifact@v4, with: {name: made, path: got}}\n"
                                         "      - run: cat got/sub/small && wc -c < got/large\n"},
        {"keeps/action.yml", description},
        {"keeps/toolkit.cjs", read_file(bundle)},
        {"keeps/index.js", R"(
const fs = require('fs');
const {artifact} = require('./toolkit.cjs');
async function upload() {
  fs.mkdirSync('out/sub', {recursive: true});
  fs.writeFileSync('out/sub/small', 'small one\n');
  fs.writeFileSync('out/large', require('crypto').randomBytes(20 << 20));
  const made = await artifact.uploadArtifact('made', ['out/sub/small', 'out/large'], 'out', {retentionDays: 3});
  console.log('uploaded as ' + made.id);
  await artifact.uploadArtifact('gone', ['out/sub/small'], 'out');
  await artifact.deleteArtifact('gone');
  try { await artifact.uploadArtifact('made', ['out/large'], 'out'); } catch (error) { console.log('refused: ' + error.message); }
}
async function download() {
  const {artifacts} = await artifact.listArtifacts();
  console.log('there are: ' + artifacts.map(each => each.name).join(' '));
  const found = await artifact.getArtifact('made');
  await artifact.downloadArtifact(found.artifact.id, {path: 'back'});
  console.log('small: ' + fs.readFileSync('back/sub/small', 'utf8') + 'large: ' + fs.statSync('back/large').size);
}
({upload, download})[process.env.INPUT_DO]().catch(error => { console.log(error); process.exit(1); });
)"}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    const auto logs = world.cicdctl({"logs", "run-1"}).out;
    INFO(run.out, run.err, logs);
    CHECK(run.code == 0);
    CHECK(contains(logs, "uploaded as 1"));
    CHECK(contains(logs, "refused: "));
    CHECK(contains(logs, "there are: made"));
    CHECK(contains(logs, "small: small one"));
    CHECK(contains(logs, "large: 20971520"));
    const auto list = world.cicdctl({"artifact", "list"});
    INFO(list.out);
    CHECK(contains(list.out, "made"));
    CHECK_FALSE(contains(list.out, "gone"));
    CHECK(world.cicdctl({"artifact", "download", "artifact-1", "--path", "sub/small", "--to", "-"}).out == "small one\n");
}

TEST_CASE("the toolkit keeps artifacts of a repository from elsewhere where the step says whose server it is to take it for") {
    const auto bundle = toolkit();
    if (bundle.empty()) {
        MESSAGE("skipped: the toolkit cannot be had from npm here");
        return;
    }
    const World world;
    const GitRepository repository{
        {".github/workflows/ci.yml", "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - {uses: ./keeps}\n"
                                     "      - {uses: ./keeps, env: {GITHUB_SERVER_URL: 'https://github.com'}}\n"},
        {"keeps/action.yml", "runs: {using: node20, main: index.js}\n"},
        {"keeps/toolkit.cjs", read_file(bundle)},
        {"keeps/index.js", R"(
const {artifact} = require('./toolkit.cjs');
require('fs').writeFileSync('a', 'x');
artifact.uploadArtifact('made', ['a'], '.').then(made => console.log('uploaded as ' + made.id), error => console.log('refused: ' + error.message));
)"}};
    repository.git({"remote", "add", "origin", "https://git.company.example/team/app.git"});
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    const auto logs = world.cicdctl({"logs", "run-1"}).out;
    INFO(run.out, run.err, logs);
    CHECK(run.code == 0);
    const auto refused = logs.find("refused: "), uploaded = logs.find("uploaded as 1");
    CHECK(refused < uploaded);
    CHECK(uploaded != logs.npos);
}

TEST_CASE("an action with the official toolkit saves a cache, and a later run restores it") {
    const auto bundle = toolkit();
    if (bundle.empty()) {
        MESSAGE("skipped: the toolkit cannot be had from npm here");
        return;
    }
    const World world;
    const GitRepository repository{
        {".github/workflows/ci.yml", "on: push\njobs:\n" + job("build", "cache")},
        {"keeps/action.yml", description},
        {"keeps/toolkit.cjs", read_file(bundle)},
        {"keeps/index.js", R"(
const fs = require('fs');
const {cache} = require('./toolkit.cjs');
(async () => {
  for (const version of ['true', '']) {  // the service of today, and the older one
    process.env.ACTIONS_CACHE_SERVICE_V2 = version;
    const folder = 'deps' + version;
    const hit = await cache.restoreCache([folder], 'deps-2' + version, ['deps-']);
    console.log('found ' + hit + (hit ? ' with ' + fs.readFileSync(folder + '/one', 'utf8') : ''));
    fs.mkdirSync(folder, {recursive: true});
    fs.writeFileSync(folder + '/one', 'of the first run');
    console.log('saved ' + await cache.saveCache([folder], 'deps-1' + version));
  }
})().catch(error => { console.log(error); process.exit(1); });
)"}};
    const auto first = world.cicdctl({"run"}, world.in(repository.path()));
    const auto logs = world.cicdctl({"logs", "run-1"}).out;
    INFO(first.out, first.err, logs);
    CHECK(first.code == 0);
    CHECK(contains(logs, "found undefined"));
    const auto second = world.cicdctl({"run"}, world.in(repository.path()));
    const auto later = world.cicdctl({"logs", "run-2"}).out;
    INFO(second.out, second.err, later);
    CHECK(second.code == 0);
    CHECK(contains(later, "found deps-1true with of the first run"));
    CHECK(contains(later, "found deps-1 with of the first run"));
    CHECK(contains(later, "already exist"));
}

TEST_CASE("the service is in the network that a job shares with its services, and ends with the job") {
    if (const auto why = why_not_in_an_image(); !why.empty() || !has_node()) {
        MESSAGE("skipped: ", why.empty() ? "there is no node" : why);
        return;
    }
    const World world;
    write_oci_layout(world.folder() / "layout", {{busybox_layer()}, R"({"Cmd": ["sh", "-c", "exec httpd -f -p 8080"]})", ""});
    REQUIRE(world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()}).code == 0);
    const GitRepository repository{
        {".github/workflows/ci.yml", "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    services: {web: {image: box}}\n"
                                     "    steps:\n      - uses: actions/checkout@v4\n      - {uses: ./keeps, with: {do: list}}\n"},
        {"keeps/action.yml", description},
        {"keeps/index.js", R"(
const url = process.env.ACTIONS_RESULTS_URL + 'twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts';
const ask = token => fetch(url, {method: 'POST', body: '{}', headers: {authorization: 'Bearer ' + token}});
(async () => {
  console.log('network ' + require('fs').readlinkSync('/proc/self/ns/net'));
  console.log('without: ' + (await ask('guessed')).status);
  console.log('with: ' + await (await ask(process.env.ACTIONS_RUNTIME_TOKEN)).text());
  console.log('token: ' + process.env.ACTIONS_RUNTIME_TOKEN);
})().catch(error => { console.log(error); process.exit(1); });
)"}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    const auto logs = world.cicdctl({"logs", "run-1"}).out;
    INFO(run.out, run.err, logs);
    CHECK(run.code == 0);
    CHECK(contains(logs, "without: 401"));
    CHECK(contains(logs, "with: {\"artifacts\":[]}"));
    CHECK(contains(logs, "token: ***"));
    CHECK_FALSE(contains(logs, fs::read_symlink("/proc/self/ns/net").string()));
}
