#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

#include <algorithm>

namespace cicd::client {

namespace route = contract::route;

namespace {

constexpr std::uint64_t lines_at_once = 10'000;

std::string number(std::uint64_t value) { return value > 0 ? std::to_string(value) : std::string{}; }

contract::Query as_query(const contract::LogQuery& query, std::uint64_t most) {
    return {{"attempt", number(static_cast<std::uint64_t>(query.attempt))},
            {"from", number(query.first_line)},
            {"limit", std::to_string(most)},
            {"tail", query.tail >= 0 ? std::to_string(query.tail) : std::string{}},
            {"since", query.since ? format_time(*query.since) : std::string{}},
            {"step", query.step},
            {"grep", query.grep}};
}

}  // namespace

Result<std::vector<contract::LogEntry>> Client::job_log(const std::string& id, const contract::LogQuery& query) {
    std::vector<contract::LogEntry> entries;
    const auto most = static_cast<std::uint64_t>(query.max_lines);
    for (auto rest = query;;) {
        const auto wanted = most == 0 ? lines_at_once : std::min(lines_at_once, most - entries.size());
        const auto target = contract::path_of(route::job_logs, {id}) + contract::query_text(as_query(rest, wanted));
        CICD_TRY(const auto page, call("GET", target));
        if (!page["data"].is_array()) return internal_error("the daemon's answer holds no log lines");
        for (const auto& line : page["data"].as_array()) {
            CICD_TRY(auto entry, codec::decode<contract::LogEntry>(line));
            entries.push_back(std::move(entry));
        }
        const bool done = !page["hasNext"].is_bool() || !page["hasNext"].as_bool() || !page["next"].is_number();
        if (done || (most > 0 && entries.size() >= most)) return entries;
        rest.first_line = static_cast<std::uint64_t>(page["next"].as_number());
        rest.attempt = page["attempt"].is_number() ? static_cast<int>(page["attempt"].as_number()) : rest.attempt;
        rest.tail = -1;  // the first answer began at the right line
    }
}

Result<std::vector<contract::LogEntry>> Client::job_log(const std::string& id, std::uint64_t first_line,
                                                        int max_lines, int attempt) {
    contract::LogQuery query;
    query.attempt = attempt;
    query.first_line = first_line;
    query.max_lines = max_lines;
    return job_log(id, query);
}

}  // namespace cicd::client
