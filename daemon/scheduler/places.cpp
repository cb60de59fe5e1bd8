#include "daemon/scheduler/places.hpp"

namespace cicd::scheduler {

Demand demand_of(const model::Resources& resources) {
    return {resources.cpu.value_or(0), resources.memory.value_or(0)};
}

}  // namespace cicd::scheduler
