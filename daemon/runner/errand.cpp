#include "daemon/runner/errand.hpp"

#include <utility>

namespace cicd::runner {
namespace {

thread_local Errand* of_this_thread = nullptr;

}  // namespace

Errand::Errand(std::function<void()> work, std::function<void()> change_over)
    : work_(std::move(work)), change_over_(std::move(change_over)) {}

Errand::~Errand() {
    if (!begun_) return;
    its_turn_.release();
    thread_.join();
}

Errand* Errand::current() { return of_this_thread; }

void Errand::go_on() {
    if (over_) return;
    change_over_();
    if (!std::exchange(begun_, true))
        thread_ = std::thread([this] {
            of_this_thread = this;
            its_turn_.acquire();
            work_();
            over_ = true;
            our_turn_.release();
            its_turn_.acquire();
        });
    its_turn_.release();
    our_turn_.acquire();
    change_over_();
}

void Errand::give_way() {
    our_turn_.release();
    its_turn_.acquire();
}

}  // namespace cicd::runner
