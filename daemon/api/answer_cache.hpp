#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/router.hpp"

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace cicd::api {

/// Answers to what is asked again and again, for as long as nothing was written to the state since. On the io thread.
class AnswerCache {
public:
    struct Entry {
        std::string target;
        const Endpoint* endpoint = nullptr;
        std::uint64_t version = 0;  ///< of the state, before it was read
        Response response;
    };
    /// Null where there is none of that version.
    [[nodiscard]] const Entry* find(const std::string& target, std::uint64_t version);
    void put(Entry entry);

private:
    void drop(std::list<Entry>::iterator entry);

    std::list<Entry> entries_;  ///< the latest used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_target_;
    std::size_t bytes_ = 0;
};

}  // namespace cicd::api
