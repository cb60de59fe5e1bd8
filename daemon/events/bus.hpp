#pragma once

#include "common/model/run.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

/// Who acts does not know who watches. Lives on the io thread; a subscriber is called for each event after it is durable.
namespace cicd::events {

class Bus {
public:
    using Handler = std::function<void(const model::RunEvent&)>;

    /// Unsubscribes when it dies. Must not outlive the bus.
    class Subscription {
    public:
        Subscription() = default;
        Subscription(Bus* bus, std::uint64_t id) : bus_(bus), id_(id) {}
        Subscription(Subscription&& other) noexcept : bus_(std::exchange(other.bus_, nullptr)), id_(other.id_) {}
        Subscription& operator=(Subscription&& other) noexcept {
            if (this != &other) {
                reset();
                bus_ = std::exchange(other.bus_, nullptr);
                id_ = other.id_;
            }
            return *this;
        }
        ~Subscription() { reset(); }
        void reset() {
            if (bus_) bus_->handlers_.erase(id_);
            bus_ = nullptr;
        }

    private:
        Bus* bus_ = nullptr;
        std::uint64_t id_ = 0;
    };

    [[nodiscard]] Subscription subscribe(Handler handler) {
        handlers_.emplace(++last_id_, std::move(handler));
        return {this, last_id_};
    }
    void publish(const model::RunEvent& event) {
        // A handler may unsubscribe itself or others: walk by key, not by iterator.
        for (auto it = handlers_.begin(); it != handlers_.end();) {
            const auto id = it->first;
            const auto handler = it->second;
            handler(event);
            it = handlers_.upper_bound(id);
        }
    }

private:
    std::map<std::uint64_t, Handler> handlers_;
    std::uint64_t last_id_ = 0;
};

}  // namespace cicd::events
