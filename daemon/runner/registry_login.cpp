#include "daemon/runner/registry_login.hpp"

namespace cicd::runner {

Result<std::string> registry_login(const std::string& secret, const model::ContainerOptions& options, const Context& context, Masking& masking) {
    if (secret.empty() && options.login.empty()) return std::string();
    CICD_TRY(auto login, context.text(secret.empty() ? options.login : "${{ secrets['" + secret + "'] }}"));
    const auto colon = login.find(':');
    // What was evaluated is not told: it may be all password.
    if (colon == std::string::npos)
        return invalid("JOB_002", (secret.empty() ? "the image's login" : "the secret " + secret) + " is no login for the image's registry",
                       "it is to hold 'user:password'");
    const auto password = login.substr(colon + 1);
    if (password.empty()) return std::string();
    masking.hide(password);
    return login;
}

}  // namespace cicd::runner
