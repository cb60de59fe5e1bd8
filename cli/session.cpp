#include "cli/session.hpp"

#include "cli/autostart.hpp"
#include "common/base/enum_text.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/pipeline/parse.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace cicd::cli {
namespace {

bool is_set(const Configuration& configuration, std::string_view name) {
    const auto value = configuration.find(name);
    return value && *value != "0" && *value != "false";
}

constexpr std::pair<const char*, const char*> flags[] = {{"--output", "output"},
                                                         {"--color", "color"},
                                                         {"--socket", "socket"},
                                                         {"--no-autostart", "noAutostart"},
                                                         {"--no-input", "noInput"}};

std::string value_of(const Arguments& globals, std::string_view option) {
    return globals.texts(option).empty() ? std::string() : globals.texts(option).back();
}

// The setting, else the default; checked against the choices.
Result<std::string> chosen(const Configuration& configuration, std::string_view setting, std::string_view fallback,
                           std::string_view choices) {
    const auto configured = configuration.find(setting);
    if (!configured) return std::string(fallback);
    for (const auto& choice : split(choices, '|'))
        if (choice == *configured) return choice;
    return usage_error("the setting '" + std::string(setting) + "' cannot be '" + *configured + "'",
                       "'cicdctl config list --show-origin' shows where it is set");
}

}  // namespace

Result<Session> Session::open(const Arguments& globals) {
    CICD_TRY(auto configuration, Configuration::load("."));
    for (const auto& [option, setting] : flags)
        if (globals.has(option)) configuration.put_first(setting, value_of(globals, option), option);
    CICD_TRY(const auto color, chosen(configuration, "color", "auto", "auto|always|never"));
    CICD_TRY(const auto output, chosen(configuration, "output", "table", "table|wide|json|yaml|name"));
    Session session(std::move(configuration), color == "always"  ? render::ColorChoice::always
                                              : color == "never" ? render::ColorChoice::never
                                                                 : render::ColorChoice::automatic);
    session.output_ = from_text<Output>(output).value_or(Output::table);
    session.headers_ = !globals.has("--no-headers");
    session.quiet_ = globals.has("--quiet");
    session.yes_ = globals.has("--yes");
    session.input_ = !is_set(session.configuration_, "noInput");
    session.autostart_ = !is_set(session.configuration_, "noAutostart");
    // A daemon that is started from here is to listen there and to keep its state there as well.
    if (const auto socket = session.configuration_.find("socket")) ::setenv("CICD_SOCKET", socket->c_str(), 1);
    if (const auto state = session.configuration_.find("stateDirectory")) ::setenv("CICD_STATE_DIR", state->c_str(), 1);
    session.socket_ = socket_path();
    return session;
}

Result<client::Client*> Session::daemon() {
    if (client_) return client_.get();
    auto client = std::make_unique<client::Client>(socket_);
    if (const auto connected = client->connect(); !connected) {
        if (connected.error().kind != ErrorKind::unavailable) return connected.error();
        if (!autostart_)
            return unavailable("CICD_069", "no daemon answers on " + socket_.string(),
                               "start it with 'cicdctl daemon start'");
        CICD_CHECK(start_daemon(socket_));
    }
    client_ = std::move(client);
    return client_.get();
}

std::string Session::text(const Value& value) const {
    if (output_ == Output::yaml) return pipeline::to_yaml(value);
    return codec::to_json(value, console_.out_is_terminal() ? 2 : -1) + "\n";
}

std::string Session::text(const render::Table& table) const {
    return table.text(
        {output_ == Output::wide, headers_, console_.paint(), output_ == Output::wide ? 0 : console_.width()});
}

void Session::print(const Value& value) const {
    console_.out(text(value));
}

void Session::print(const render::Table& table) const {
    console_.out(text(table));
}

void Session::note(const std::string& line) const {
    if (!quiet_) console_.err(line + "\n");
}

Result<bool> Session::confirm(const std::string& question) const {
    if (yes_) return true;
    if (!input_ || ::isatty(STDIN_FILENO) != 1)
        return usage_error(question + " Nobody is there to answer.", "say yes beforehand with -y");
    console_.err(question + " [y/N] ");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

Value error_value(const Error& error) {
    return codec::encode(error);
}

}  // namespace cicd::cli
