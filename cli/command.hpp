#pragma once

#include "cli/exit_code.hpp"
#include "common/base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The command table: parsing, help, completion and man pages are all made from it.
namespace cicd::cli {

class Session;

/// What a shell offers for an operand or a value.
enum class Completes { nothing, file, directory, run, job, run_or_job, pipeline, command, setting };

struct Option {
    std::string_view names;       ///< "-f,--follow": short first
    std::string_view value = {};  ///< what it takes, "FILE"; empty: a flag
    std::string_view help;
    std::string_view choices = {};  ///< "a|b|c": the only values allowed
    bool many = false;
    Completes completes = Completes::nothing;

    [[nodiscard]] std::string_view long_name() const { return names.substr(names.rfind(',') + 1); }
};

struct Operand {
    std::string_view name;
    bool required = true;
    bool many = false;
    Completes completes = Completes::nothing;
    std::string_view choices = {};
};

struct Example {
    std::string_view line, explanation;
};

/// What was typed after the command's name. Asking for an option that the command does not declare is a bug and throws.
class Arguments {
public:
    struct Given {
        const Option* option = nullptr;
        std::vector<std::string> values;  ///< of a flag: "true", for each time it was given
    };

    [[nodiscard]] bool has(std::string_view long_name) const { return !find(long_name).values.empty(); }
    /// The last one given, or empty.
    [[nodiscard]] std::string text(std::string_view long_name) const;
    [[nodiscard]] const std::vector<std::string>& texts(std::string_view long_name) const {
        return find(long_name).values;
    }
    /// A whole number of at least `least`; nullopt where the option was not given.
    [[nodiscard]] Result<std::optional<int>> number(std::string_view long_name, int least) const;

    /// The operand at that place, or empty.
    [[nodiscard]] std::string operand(std::size_t index) const {
        return index < operands.size() ? operands[index] : std::string();
    }

    std::vector<Given> given;  ///< one for each declared option, in order of declaration
    std::vector<std::string> operands;

private:
    [[nodiscard]] const Given& find(std::string_view long_name) const;
};

using Handler = Result<ExitCode> (*)(Session& session, const Arguments& arguments);

/// A verb ("run"), a group ("job": no handler) or a member of a group ("job logs").
struct Command {
    std::string_view name;
    std::string_view summary;
    std::string_view description = {};
    std::span<const Operand> operands = {};
    std::span<const Option> options = {};
    std::span<const Option> shared_options = {};  ///< declared once for several commands
    std::span<const Example> examples = {};
    Handler handler = nullptr;
    bool hidden = false;
    /// Its option for a folder, which is also what --output names where that is no format.
    std::string_view output_folder = {};

    [[nodiscard]] bool is_group() const { return handler == nullptr; }
    [[nodiscard]] std::string_view group() const {
        const auto space = name.find(' ');
        return space == std::string_view::npos ? std::string_view() : name.substr(0, space);
    }
    [[nodiscard]] std::string_view last_word() const { return name.substr(name.rfind(' ') + 1); }
    /// Its own options, then the shared ones.
    [[nodiscard]] std::vector<const Option*> all_options() const;
};

/// Every command, in the order of the help.
std::span<const Command* const> commands();
const Command* find_command(std::string_view name);
/// The visible members of a group; of "" the verbs and groups themselves.
std::vector<const Command*> members(std::string_view group);

/// Taken by every command, before or after its name.
std::span<const Option> global_options();

/// What is typed: which command, with what.
struct Invocation {
    const Command* command = nullptr;  ///< null: just `cicdctl`
    bool help = false;
    bool version = false;
    Arguments globals;
    Arguments arguments;
};

/// Fails (kind invalid, code CLI_002) with a suggestion for a typo.
Result<Invocation> parse(std::span<const std::string> words);

inline Error usage_error(std::string message, std::string hint = {}) {
    return invalid("CLI_002", std::move(message), std::move(hint));
}

}  // namespace cicd::cli
