#pragma once

#include "daemon/events/bus.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace cicd::api {

/// The bus for many streams: an event costs only those who follow its run. On the io thread.
class RunEvents {
public:
    using Handler = std::function<void(const model::RunEvent&)>;

    /// Ends when it dies; may outlive the RunEvents.
    class Subscription {
    public:
        Subscription() = default;
        explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
        Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
        Subscription& operator=(Subscription&& other) noexcept {
            std::swap(end_, other.end_);
            return *this;
        }
        ~Subscription() {
            if (end_) end_();
        }

    private:
        std::function<void()> end_;
    };

    explicit RunEvents(events::Bus& bus) {
        subscription_ = bus.subscribe([this](const model::RunEvent& event) { tell(event); });
    }

    /// A handler may only note what it heard: it must not end subscriptions.
    [[nodiscard]] Subscription follow(const RunId& run, Handler handler) {
        auto& those = followers_->by_run[run.str()];
        const auto place = those.insert(those.end(), std::move(handler));
        return Subscription([weak = std::weak_ptr(followers_), run = run.str(), place] {
            const auto followers = weak.lock();
            if (!followers) return;
            const auto found = followers->by_run.find(run);
            found->second.erase(place);
            if (found->second.empty()) followers->by_run.erase(found);
        });
    }
    [[nodiscard]] Subscription follow_all(Handler handler) {
        const auto place = followers_->all.insert(followers_->all.end(), std::move(handler));
        return Subscription([weak = std::weak_ptr(followers_), place] {
            if (const auto followers = weak.lock()) followers->all.erase(place);
        });
    }

private:
    struct Followers {
        std::unordered_map<std::string, std::list<Handler>> by_run;
        std::list<Handler> all;
    };
    void tell(const model::RunEvent& event) {
        if (const auto found = followers_->by_run.find(event.run.str()); found != followers_->by_run.end())
            for (const auto& handler : found->second) handler(event);
        for (const auto& handler : followers_->all) handler(event);
    }

    std::shared_ptr<Followers> followers_ = std::make_shared<Followers>();
    events::Bus::Subscription subscription_;
};

}  // namespace cicd::api
