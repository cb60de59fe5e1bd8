#pragma once

#include <functional>
#include <semaphore>
#include <thread>

namespace cicd::runner {

/// Work that waits while others go on: it runs only between `go_on` and the next `give_way`, and whoever let it go on stands
/// still meanwhile. So nothing that they share needs a lock. (A coroutine, on a thread of its own: what it calls need not know.)
class Errand {
public:
    /// Nothing of it runs yet. `change_over` is called before and after each time it runs.
    Errand(std::function<void()> work, std::function<void()> change_over);
    /// It is over, or never ran. Its thread lasts until now: what it started may die with that.
    ~Errand();
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

    void go_on();
    [[nodiscard]] bool is_over() const { return over_; }

    /// The one that asks; nothing outside of any.
    static Errand* current();
    void give_way();

private:
    std::function<void()> work_, change_over_;
    std::binary_semaphore its_turn_{0}, our_turn_{0};
    bool over_ = false, begun_ = false;
    std::thread thread_;
};

}  // namespace cicd::runner
