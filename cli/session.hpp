#pragma once

#include "cli/command.hpp"
#include "cli/configuration.hpp"
#include "cli/render/console.hpp"
#include "cli/render/table.hpp"
#include "common/base/value.hpp"
#include "common/client/client.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace cicd::cli {

enum class Output { table, wide, json, yaml, name };

/// One invocation of a command: its settings, its output, its connection to the daemon.
class Session {
public:
    /// Fails where a setting in a file or variable is wrong.
    static Result<Session> open(const Arguments& globals);

    [[nodiscard]] const render::Console& console() const { return console_; }
    [[nodiscard]] Output output() const { return output_; }
    /// Output is a document, for a program to read.
    [[nodiscard]] bool structured() const { return output_ == Output::json || output_ == Output::yaml; }
    [[nodiscard]] bool quiet() const { return quiet_; }
    [[nodiscard]] bool autostart() const { return autostart_; }
    [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
    [[nodiscard]] const Configuration& configuration() const { return configuration_; }

    /// The daemon; started where none runs, unless that is forbidden. Fails with CICD_069 and how to start it.
    Result<client::Client*> daemon();
    /// A second connection, for another thread.
    [[nodiscard]] client::Client another_connection() const { return client::Client(socket_); }

    /// The value as `-o json` or `-o yaml` asks, the table as terminal and options ask.
    [[nodiscard]] std::string text(const Value& value) const;
    [[nodiscard]] std::string text(const render::Table& table) const;
    void print(const Value& value) const;
    void print(const render::Table& table) const;
    /// Progress, for a person: stderr, silent with -q.
    void note(const std::string& line) const;
    /// True with -y; asks where somebody can answer; else refuses with a hint to -y.
    Result<bool> confirm(const std::string& question) const;

private:
    Session(Configuration configuration, render::ColorChoice color)
        : configuration_(std::move(configuration)), console_(color) {}

    Configuration configuration_;
    render::Console console_;
    Output output_ = Output::table;
    bool headers_ = true, quiet_ = false, autostart_ = true, input_ = true, yes_ = false;
    std::filesystem::path socket_;
    std::unique_ptr<client::Client> client_;
};

/// The error as `-o json` shows it: the API's shape.
Value error_value(const Error& error);
/// For people: "cicdctl: message", the problems, what to do next.
std::string error_text(const Error& error, const render::Paint& paint);

}  // namespace cicd::cli

namespace cicd {
template <>
struct EnumText<cli::Output> {
    using E = cli::Output;
    static constexpr std::array table{
        std::pair{E::table, std::string_view{"table"}}, std::pair{E::wide, std::string_view{"wide"}},
        std::pair{E::json, std::string_view{"json"}}, std::pair{E::yaml, std::string_view{"yaml"}},
        std::pair{E::name, std::string_view{"name"}}};
};
}  // namespace cicd
