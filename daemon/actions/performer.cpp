#include "daemon/actions/performer.hpp"

#include "daemon/actions/actions.hpp"

namespace cicd::actions {

std::unique_ptr<runner::Performer> make_performer(runner::JobAccess& job) {
    switch (job.spec().dialect) {
        case model::Dialect::github: return std::make_unique<Actions>(job);
        case model::Dialect::native:
        case model::Dialect::gitlab:
        case model::Dialect::bitbucket: break;
    }
    return nullptr;
}

}  // namespace cicd::actions
