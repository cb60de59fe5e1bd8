#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

/// Exit codes are a contract: here they stand for every command.

using namespace cicd;
using namespace cicd::test;

namespace {

using Words = std::vector<std::string>;

/// The commands that a help text lists.
Words listed(const World& world, const Words& group) {
    auto words = group;
    words.emplace_back("--help");
    std::istringstream help(world.cicdctl(words).out);
    Words names;
    bool in_list = false;
    for (std::string line; std::getline(help, line);) {
        // Groups stand on one line: "  pipeline, job, …".
        if (line.starts_with("With commands of their own") && std::getline(help, line)) {
            std::istringstream groups(line);
            for (std::string name; groups >> name;) names.push_back(name.substr(0, name.find(',')));
        }
        if (line == "Commands:") in_list = true;
        else if (line.empty()) in_list = false;
        else if (in_list) names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    return names;
}

/// Every command that is no group, as it is typed.
Words all_commands(const World& world) {
    Words found;
    for (const auto& name : listed(world, {})) {
        const auto members = listed(world, {name});
        if (members.empty()) found.push_back(name);
        for (const auto& member : members) found.push_back(name + " " + member);
    }
    return found;
}

Words split_words(const std::string& text) {
    std::istringstream in(text);
    Words words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

Words operator+(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

struct Expectation {
    Words more;  ///< after the command
    int code;
};

/// In this order, on a daemon that has run-1 (success), run-2 (failed), run-3 (running), run-4 (waits for run-3), with the
/// jobs of the same numbers.
const std::vector<std::pair<std::string, std::vector<Expectation>>> expected = {
    {"run", {{{"-f", "fine.yaml"}, 0}, {{"-f", "failing.yaml"}, 1}, {{"-f", "wrong.yaml"}, 2}, {{"-f", "none.yaml"}, 5},
             {{"no-such-pipeline"}, 5}, {{"-f", "long.yaml", "--timeout", "1ms"}, 124}}},
    {"plan", {{{"-f", "fine.yaml"}, 0}, {{"-f", "wrong.yaml"}, 2}, {{"-f", "none.yaml"}, 5}}},
    {"validate", {{{"fine.yaml"}, 0}, {{"wrong.yaml"}, 2}, {{"none.yaml"}, 5}}},
    {"init", {{{"--stdout"}, 0}, {{}, 7}}},
    {"import", {{{"workflow.yml"}, 0}, {{"wrong.yaml"}, 2}, {{"none.yml"}, 5}}},
    {"export", {{{"fine.yaml"}, 0}, {{"wrong.yaml"}, 2}, {{"none.yaml"}, 5}}},
    {"ps", {{{}, 0}, {{"--status", "nonsense"}, 2}}},
    {"show", {{{"run-1"}, 0}, {{"job-1"}, 0}, {{"run-99"}, 5}, {{"nonsense"}, 5}}},
    {"logs", {{{"run-1"}, 0}, {{"run-99"}, 5}, {{"run-1", "--tail", "few"}, 2}}},
    {"watch", {{{"run-1"}, 0}, {{"run-2"}, 1}, {{"run-99"}, 5}, {{"run-3", "--timeout", "1ms"}, 124}}},
    {"status", {{{}, 0}}},
    {"explain", {{{}, 0}, {{"run-1"}, 0}, {{"run-99"}, 5}}},
    {"reschedule", {{{"run-4", "--priority", "high"}, 0}, {{"run-4"}, 2}, {{"run-1", "--priority", "high"}, 7}, {{"run-99", "--priority", "high"}, 5}}},
    {"job list", {{{}, 0}, {{"--status", "nonsense"}, 2}}},
    {"job show", {{{"job-1"}, 0}, {{"job-99"}, 5}, {{"run-1"}, 2}}},
    {"job logs", {{{"job-1"}, 0}, {{"job-99"}, 5}}},
    {"job queue", {{{}, 0}}},
    {"job reschedule", {{{"job-4", "--priority", "low"}, 0}, {{"job-3", "--priority", "low"}, 7}, {{"job-99", "--priority", "low"}, 5}}},
    {"job cancel", {{{"job-4"}, 0}, {{"job-1"}, 7}, {{"job-99"}, 5}}},
    {"cancel", {{{"run-3"}, 0}, {{"run-1"}, 7}, {{"run-99"}, 5}, {{}, 2}}},
    {"retry", {{{"run-2"}, 1}, {{"run-2", "--detach"}, 0}, {{"run-99"}, 5}, {{"run-2", "--from", "no-such-stage"}, 2}}},
    {"job restart", {{{"job-1"}, 0}, {{"job-99"}, 5}}},
    {"pipeline create", {{{"-f", "fine.yaml"}, 0}, {{"-f", "fine.yaml"}, 7}, {{"-f", "wrong.yaml"}, 2}}},
    {"pipeline list", {{{}, 0}}},
    {"pipeline show", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline update", {{{"fine", "-f", "fine.yaml"}, 0}, {{"none", "-f", "fine.yaml"}, 5}, {{"fine", "-f", "wrong.yaml"}, 2}}},
    {"pipeline versions", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline disable", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline enable", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline validate", {{{"fine.yaml"}, 0}, {{"wrong.yaml"}, 2}}},
    {"pipeline run", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline export", {{{"fine"}, 0}, {{"none"}, 5}}},
    {"pipeline delete", {{{"fine", "-y"}, 0}, {{"none", "-y"}, 5}}},
    {"secret set", {{{"TOKEN", "--file", "value.txt"}, 0}, {{"1TOKEN", "--file", "value.txt"}, 2}, {{"TOKEN", "--file", "none"}, 5}}},
    {"secret list", {{{}, 0}}},
    {"secret rotate", {{{"TOKEN", "--file", "value.txt"}, 0}, {{"NONE", "--file", "value.txt"}, 5}}},
    {"secret history", {{{}, 0}}},
    {"secret rekey", {{{}, 0}}},
    {"secret rm", {{{"TOKEN", "-y"}, 0}, {{"NONE", "-y"}, 5}, {{"NONE"}, 2}}},
    {"artifact upload", {{{"job-1", "value", "value.txt"}, 0}, {{"job-1", "value", "value.txt"}, 7}, {{"job-1", "tree", "value.txt", "--unpack"}, 2},
                         {{"job-99", "value", "value.txt"}, 5}, {{"run-99", "value", "value.txt"}, 5}, {{"job-1", "value", "none"}, 5}}},
    {"artifact list", {{{}, 0}, {{"run-99"}, 5}}},
    {"artifact show", {{{"artifact-1"}, 0}, {{"artifact-99"}, 5}}},
    {"artifact download", {{{"artifact-1", "--to", "copy"}, 0}, {{"artifact-99"}, 5}}},
    {"artifact rm", {{{"artifact-1", "-y"}, 0}, {{"artifact-99", "-y"}, 5}}},
    {"cache list", {{{}, 0}}},
    {"cache show", {{{"cache-99"}, 5}}},
    {"cache rm", {{{"cache-99"}, 5}}},
    {"image import", {{{"mine", "none.tar"}, 5}, {{"mine", "value.txt"}, 2}}},
    {"image build", {{{"Not A Name"}, 2}, {{"mine", "--packages", "--evil"}, 2}}},
    {"image list", {{{}, 0}}},
    {"image show", {{{"none"}, 5}}},
    {"image rm", {{{"none"}, 5}}},
    {"config list", {{{}, 0}}},
    {"config set", {{{"output", "json"}, 0}, {{"output", "xml"}, 2}, {{"no.such.setting", "1"}, 2}}},
    {"config get", {{{"output"}, 0}, {{"no.such.setting"}, 2}}},
    {"config unset", {{{"output"}, 0}, {{"no.such.setting"}, 2}}},
    {"api", {{{"GET", "/healthz"}, 0}, {{"GET", "/runs/run-99"}, 5}, {{"SING", "/healthz"}, 2}}},
    {"completion", {{{"bash"}, 0}, {{"tcsh"}, 2}}},
    {"version", {{{}, 0}, {{"extra"}, 2}}},
    {"help", {{{}, 0}, {{"run"}, 0}, {{"nonsense"}, 2}}},
    {"daemon logs", {{{}, 0}}},
    {"daemon log-level", {{{}, 0}, {{"debug"}, 0}, {{"loud"}, 2}}},
    {"daemon backup", {{{"backup.tar.zst"}, 0}, {{"/no/such/folder/backup"}, 2}}},
    {"daemon restore", {{{"backup.tar.zst"}, 7}, {{"none"}, 7}}},
    {"daemon cleanup", {{{}, 0}}},
    {"doctor", {{{}, 0}}},
    {"daemon status", {{{}, 0}}},
    {"daemon start", {{{}, 0}}},
    {"daemon stop", {{{}, 0}, {{}, 0}}},
};

}  // namespace

TEST_CASE("every command has the exit codes of the specification") {
    const std::string one_stage = "stages:\n  - {name: one, commands: [";
    GitRepository repository{{"fine.yaml", "name: fine\n" + one_stage + "'true']}\n"},
                             {"failing.yaml", "name: failing\n" + one_stage + "'exit 3']}\n"},
                             {"long.yaml", "name: long\nconcurrency: {group: one}\n" + one_stage + "'sleep 1000']}\n"},
                             {"endless.yaml", "name: endless\n" + one_stage + "'sleep 1000']}\n"},
                             {"wrong.yaml", "name: wrong\nstages: 7\n"},
                             {"value.txt", "hush-hush\n"},
                             {"workflow.yml", "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"},
                             {".cicd.yaml", "name: usual\n" + one_stage + "'true']}\n"}};
    World world;
    const auto in = world.in(repository.path());
    REQUIRE(world.cicdctl({"run", "-f", "fine.yaml"}, in).code == 0);
    REQUIRE(world.cicdctl({"run", "-f", "failing.yaml"}, in).code == 1);
    for (int i = 0; i < 2; ++i) REQUIRE(world.cicdctl({"run", "-d", "-f", "long.yaml"}, in).code == 0);
    for (const auto& [command, rows] : expected)
        for (const auto& [more, code] : rows) {
            std::string typed = command;
            for (const auto& word : more) typed += " " + word;
            const auto outcome = world.cicdctl(split_words(command) + more, in);
            INFO(typed, "\n", outcome.out, outcome.err);
            CHECK(outcome.code == code);
            if (code != 0 && code != 1) CHECK_FALSE((outcome.out + outcome.err).empty());  // it says why
        }
}

TEST_CASE("every command stands in that table, helps, refuses what it does not know, and fits a machine without a daemon") {
    World world;
    const std::set<std::string> without_daemon = {
        "validate", "init", "import", "completion", "version", "help", "pipeline validate", "config list", "config get", "config set",
        "config unset", "plan", "doctor", "daemon start", "daemon stop", "daemon restore", "daemon logs"};
    const auto is_file = [](const std::string& word) { return word == "-f" || word == "--file" || word.find('.') != std::string::npos; };
    const auto commands = all_commands(world);
    CHECK(commands.size() > 60);
    for (const auto& command : commands) {
        INFO(command);
        const auto row = std::find_if(expected.begin(), expected.end(), [&](const auto& each) { return each.first == command; });
        CHECK(row != expected.end());
        const auto words = split_words(command);
        CHECK(world.cicdctl(words + Words{"--help"}).code == 0);
        CHECK(world.cicdctl(words + Words{"--no-such-option"}).code == 2);
        if (without_daemon.contains(command) || row == expected.end()) continue;
        const auto& more = row->second.front().more;
        if (std::find_if(more.begin(), more.end(), is_file) != more.end()) continue;  // reads a file first
        CHECK(world.cicdctl(words + more + Words{"--no-autostart"}).code == 69);
    }
}
