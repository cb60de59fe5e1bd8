#include "daemon/api/log_selection.hpp"

#include "common/codec/log_entry.hpp"
#include "common/contract/errors.hpp"
#include "daemon/api/log_follower.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace cicd::api {
namespace {

constexpr std::uint64_t lines_at_once = 4096;
constexpr std::uint64_t bytes_at_once = 1 << 20;
constexpr std::size_t largest_page = 8 << 20;           // bytes of JSON
constexpr std::uint64_t most_searched = 256ULL << 20U;  // bytes of log, for one answer

Error bad(std::string message, std::string hint = {}) {
    return invalid(std::string(contract::code::bad_request), std::move(message), std::move(hint));
}

/// The begin of the line that a record goes on with.
Result<std::uint64_t> whole_line(job::LogReader& reader, std::uint64_t line) {
    job::LogBatch batch;
    while (line > 0) {
        CICD_CHECK(reader.read(line - 1, 1, 1, batch));
        if (batch.empty() || (batch.record(0).flags & job::log_partial) == 0) break;
        --line;
    }
    return line;
}

/// The first of the last `tail` lines that are taken, searched from the end.
Result<std::uint64_t> search_tail(job::LogReader& reader, const LogSelection& selection, std::uint64_t first,
                                  std::uint64_t count) {
    std::vector<std::uint64_t> found;  // of one block
    auto left = static_cast<std::uint64_t>(selection.query.tail);
    job::LogBatch batch;
    for (auto end = count; end > first && left > 0;) {
        const auto begin = std::max(first, end - std::min(end, lines_at_once));
        found.clear();
        for (auto at = begin; at < end; at += batch.size()) {
            CICD_CHECK(reader.read(at, end - at, bytes_at_once, batch));
            if (batch.empty()) break;
            for (std::size_t i = 0; i < batch.size(); ++i)
                if (selection.takes(batch.record(i), batch.text(i))) found.push_back(batch.number(i));
        }
        if (found.size() >= left) return found[found.size() - left];
        left -= found.size();
        end = begin;
    }
    return left == 0 ? count : first;
}

}  // namespace

Result<contract::LogQuery> read_log_query(const Request& request) {
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    contract::LogQuery query;
    CICD_TRY(const auto attempt, query_number(request, "attempt", 0, 0, 1'000'000));
    const char* first_name = request.query_value("cursor").empty() ? "from" : "cursor";
    CICD_TRY(const auto first, query_number(request, first_name, 0, 0, largest));
    CICD_TRY(const auto limit, query_number(request, "limit", 0, 0, 100'000));
    CICD_TRY(const auto tail, query_number(request, "tail", -1, 0, 1'000'000'000));
    query.attempt = static_cast<int>(attempt);
    query.first_line = static_cast<std::uint64_t>(first);
    query.max_lines = static_cast<int>(limit);
    query.tail = static_cast<int>(tail);
    if (const auto since = request.query_value("since"); !since.empty()) {
        const auto time = parse_time(since);
        if (!time) return bad("'since' is '" + since + "'", "give a time such as 2026-11-21T04:40:32.123Z");
        query.since = *time;
    }
    query.step = request.query_value("step");
    query.grep = request.query_value("grep");
    return query;
}

bool LogSelection::takes(const job::LogRecord& record, std::string_view text) const {
    if (!steps.empty() && std::find(steps.begin(), steps.end(), static_cast<int>(record.step)) == steps.end())
        return false;
    return !pattern || pattern->matches(text);
}

Result<LogSelection> select(const contract::LogQuery& query, const model::JobRun& job) {
    LogSelection selection;
    selection.query = query;
    if (!query.grep.empty()) {
        CICD_TRY(auto pattern, LinePattern::compile(query.grep));
        selection.pattern = std::make_shared<const LinePattern>(std::move(pattern));
    }
    if (query.step.empty()) return selection;
    int index = 0;
    const auto* end = query.step.data() + query.step.size();
    const bool is_number = std::from_chars(query.step.data(), end, index).ptr == end && index >= 0;
    std::string names;
    for (const auto& step : job.steps) {
        const bool meant = step.id == query.step || step.name == query.step || (is_number && step.index == index);
        if (meant) selection.steps.push_back(step.index);
        const auto& name = step.id.empty() ? step.name : step.id;
        names += (names.empty() ? "" : ", ") + (name.empty() ? std::to_string(step.index) : name);
    }
    if (!selection.steps.empty()) return selection;
    if (is_number && job.steps.empty()) {
        selection.steps.push_back(index);  // it has not begun: nobody knows its steps yet
        return selection;
    }
    return not_found(std::string(contract::code::job_not_found), job.id.str() + " has no step '" + query.step + "'",
                     names.empty() ? "it has not begun yet" : "its steps: " + names);
}

Result<std::uint64_t> first_line_of(job::LogReader& reader, const LogSelection& selection) {
    auto first = selection.query.first_line;
    if (selection.query.since) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(selection.query.since->time_since_epoch());
        CICD_TRY(const auto line, reader.first_line_since(static_cast<std::uint64_t>(std::max<std::int64_t>(0, us.count()))));
        first = std::max(first, line);
    }
    if (selection.query.tail < 0) return first;
    CICD_TRY(const auto count, reader.line_count());
    if (first >= count) return first;
    if (!selection.takes_all()) return search_tail(reader, selection, first, count);
    const auto tail = static_cast<std::uint64_t>(selection.query.tail);
    if (tail == 0) return count;
    CICD_TRY(const auto line, whole_line(reader, count - std::min(count, tail)));
    return std::max(first, line);
}

Result<LogPage> read_log_page(job::LogReader& reader, const LogSelection& selection, const model::JobRun& job, int attempt,
                              std::uint64_t first, std::uint64_t most_lines) {
    LogPage page;
    page.next = first;
    CICD_TRY(page.line_count, reader.line_count());
    codec::LogEntryWriter writer(job.id, job.key, attempt);
    job::LogBatch batch;
    const auto at_once = selection.takes_all() ? std::min(lines_at_once, most_lines) : lines_at_once;
    std::uint64_t searched = 0;
    while (page.lines < most_lines && page.json.size() < largest_page && searched < most_searched) {
        CICD_CHECK(reader.read(page.next, at_once, bytes_at_once, batch));
        if (batch.empty()) break;
        for (std::size_t i = 0; i < batch.size() && page.lines < most_lines; ++i, ++page.next) {
            const auto text = batch.text(i);
            searched += text.size();
            if (!selection.takes(batch.record(i), text)) continue;
            if (page.lines++ > 0) page.json += ',';
            writer.append(page.json, as_line(batch, i));
        }
        page.has_next = true;
    }
    page.has_next = page.has_next && page.next < page.line_count && !batch.empty();
    return page;
}

}  // namespace cicd::api
