#pragma once

#include "common/base/enum_text.hpp"

#include <string>
#include <vector>

namespace cicd::cli {

class Session;

/// One thing that the engine needs, as it was found.
struct Finding {
    enum class Level { good, notice, bad };
    std::string name;
    Level level = Level::good;
    std::string detail;
    std::string remedy = {};  ///< the one command that mends it; empty where it is good
};

/// Looks at everything by trying it; starts no daemon and changes nothing but the state directory, which it creates.
std::vector<Finding> examine(const Session& session);

// The parts, by where they look.
namespace checks {
void look_at_sandbox(std::vector<Finding>& findings);
void look_at_kernel(std::vector<Finding>& findings);
void look_at_programs(std::vector<Finding>& findings);
void look_at_engine(const Session& session, std::vector<Finding>& findings);
void look_at_state(const Session& session, std::vector<Finding>& findings);
void look_at_daemon(const Session& session, std::vector<Finding>& findings);
void look_at_shell(std::vector<Finding>& findings);

inline Finding good(std::string name, std::string detail) {
    return {std::move(name), Finding::Level::good, std::move(detail)};
}
inline Finding notice(std::string name, std::string detail, std::string remedy) {
    return {std::move(name), Finding::Level::notice, std::move(detail), std::move(remedy)};
}
inline Finding bad(std::string name, std::string detail, std::string remedy) {
    return {std::move(name), Finding::Level::bad, std::move(detail), std::move(remedy)};
}
}  // namespace checks

}  // namespace cicd::cli

namespace cicd {
template <>
struct EnumText<cli::Finding::Level> {
    using E = cli::Finding::Level;
    static constexpr std::array table{std::pair{E::good, std::string_view{"good"}},
                                      std::pair{E::notice, std::string_view{"notice"}},
                                      std::pair{E::bad, std::string_view{"bad"}}};
};
}  // namespace cicd
