#include "daemon/api/resources/logs.hpp"

#include "common/base/text.hpp"
#include "common/codec/json_text.hpp"
#include "common/contract/errors.hpp"
#include "daemon/api/byte_range.hpp"
#include "daemon/api/log_follower.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace cicd::api {
namespace {

constexpr std::size_t text_at_once = 256 * 1024;
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

Error bad(std::string message, std::string hint = {}) {
    return invalid(std::string(contract::code::bad_request), std::move(message), std::move(hint));
}

int attempt_of(const model::JobRun& job, int attempt) { return attempt > 0 ? attempt : std::max(1, job.attempt); }

LogFollower log_of(Services& services, const model::JobRun& job, int attempt) {
    const int counted = attempt_of(job, attempt);
    return {job.id, job.key, counted, services.runs.job_directory(job.id, counted), 0};
}

/// Lines that are chosen, of one job after the other.
async::Task<void> write_lines(Services& services, std::vector<model::JobRun> jobs, contract::LogQuery query, bool named,
                              BodyStream& out) {
    auto left = query.max_lines > 0 ? static_cast<std::uint64_t>(query.max_lines) : std::numeric_limits<std::uint64_t>::max();
    for (const auto& job : jobs) {
        const auto chosen = select(query, job);
        if (!chosen) continue;  // it has no such step
        const auto& selection = *chosen;
        auto log = log_of(services, job, query.attempt);
        const auto begin = [&log, &selection] { return first_line_of(log.reader(), selection); };
        const auto first = co_await async::offload(services.pool, begin);
        if (!first) co_return out.cut();
        log.go_on_at(*first);
        while (left > 0) {
            std::string text;
            const auto work = [&] { return log.append_text(text, named ? job.key : "", &selection); };
            const auto lines = co_await async::offload(services.pool, work);
            if (!lines) co_return out.cut();
            if (*lines == 0) break;
            std::size_t end = 0;
            for (; left > 0 && end < text.size(); --left) end = text.find('\n', end) + 1;
            text.resize(end);
            if (!text.empty() && !co_await out.send(std::move(text))) co_return;
        }
    }
}

async::Task<void> write_bytes(Services& services, std::filesystem::path directory, ByteRange range, BodyStream& out) {
    job::LogReader reader(job::Paths{std::move(directory)});
    while (range.begin < range.end) {
        const auto most = std::min<std::uint64_t>(text_at_once, range.end - range.begin);
        const auto read = [&reader, range, most] { return reader.text(range.begin, most); };
        auto text = co_await async::offload(services.pool, read);
        if (!text || text->empty()) co_return out.cut();
        range.begin += text->size();
        if (!co_await out.send(std::move(*text))) co_return;
    }
}

/// All bytes that are there now, or the range of them that is asked for.
Answer bytes_of_log(Services& services, const Request& request, const std::filesystem::path& directory, bool is_final) {
    job::LogReader reader(job::Paths{directory});
    CICD_TRY(const auto size, reader.text_size());
    Response response;
    response.content_type = plain_text;
    const auto range = choose_range(request.range, size, response);
    response.is_immutable = is_final;
    response.stream = [&services, directory, range](BodyStream& out) { return write_bytes(services, directory, range, out); };
    return response;
}

}  // namespace

bool wants_text(const Request& request) {
    const auto format = request.query_value("format");
    return format.empty() ? request.accepts("text/plain") : format == "text";
}

Response text_logs(Services& services, std::vector<model::JobRun> jobs, const contract::LogQuery& query) {
    Response response;
    response.content_type = plain_text;
    response.stream = [&services, jobs = std::move(jobs), query](BodyStream& out) {
        return write_lines(services, jobs, query, true, out);
    };
    return response;
}

Answer text_of_log(Services& services, const Request& request, const model::JobRun& job, const LogSelection& selection) {
    const auto& query = selection.query;
    const int attempt = attempt_of(job, query.attempt);
    const auto directory = services.runs.job_directory(job.id, attempt);
    const bool whole = selection.takes_all() && query.first_line == 0 && query.max_lines == 0 && query.tail < 0 && !query.since;
    if (whole) return bytes_of_log(services, request, directory, is_final(job.state) || attempt < job.attempt);
    Response response;
    response.content_type = plain_text;
    response.stream = [&services, jobs = std::vector{job}, query](BodyStream& out) {
        return write_lines(services, jobs, query, false, out);
    };
    return response;
}

Answer text_stream(Services& services, const Request& request, LogStreamRequest what) {
    const int attempt = attempt_of(what.job, what.selection.query.attempt > 0 ? what.selection.query.attempt
                                                                               : what.from_attempt);
    Response response;
    response.content_type = plain_text;
    response.headers.emplace_back("X-Log-Attempt", std::to_string(attempt));
    if (!what.selection.takes_all()) {
        what.selection.query.attempt = attempt;
        response.stream = [&services, what](BodyStream& out) { return stream_job_lines(services, what, out); };
        return response;
    }
    TextStreamRequest bytes{what.job, attempt, 0};
    CICD_TRY(const auto offset, query_number(request, "offset", -1, 0, std::numeric_limits<std::int64_t>::max()));
    if (offset >= 0) {
        bytes.offset = static_cast<std::uint64_t>(offset);
    } else {
        job::LogReader reader(job::Paths{services.runs.job_directory(what.job.id, attempt)});
        CICD_TRY(const auto first, first_line_of(reader, what.selection));
        CICD_TRY(bytes.offset, reader.offset_of(first));
    }
    response.headers.emplace_back("X-Log-Offset", std::to_string(bytes.offset));
    response.stream = [&services, bytes](BodyStream& out) { return stream_job_text(services, bytes, out); };
    return response;
}

Result<Response> page_of_logs(Services& services, const std::vector<model::JobRun>& jobs, const contract::LogQuery& query,
                              const std::string& cursor) {
    auto job = jobs.begin();
    std::uint64_t line = 0;
    bool resolved = cursor.empty();
    if (!cursor.empty()) {
        const auto dot = cursor.rfind('.');
        const auto digits = std::string_view(cursor).substr(dot == std::string::npos ? cursor.size() : dot + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), line);
        job = std::find_if(jobs.begin(), jobs.end(), [&](const auto& one) { return one.id.str() == cursor.substr(0, dot); });
        if (job == jobs.end() || digits.empty() || read.ptr != digits.data() + digits.size())
            return bad("'cursor' is none of this list", "give the 'nextCursor' of the page before, and the same filters");
    }
    const auto most = query.max_lines > 0 ? static_cast<std::uint64_t>(query.max_lines) : 10'000;
    std::string data, next;
    std::uint64_t lines = 0;
    for (; job != jobs.end(); ++job, resolved = true) {
        const auto selection = select(query, *job);
        if (!selection && selection.error().kind != ErrorKind::not_found) return selection.error();
        if (!selection) continue;  // it has no such step
        const int attempt = attempt_of(*job, 0);
        job::LogReader reader(job::Paths{services.runs.job_directory(job->id, attempt)});
        if (resolved) {
            CICD_TRY(line, first_line_of(reader, *selection));
        }
        CICD_TRY(auto page, read_log_page(reader, *selection, *job, attempt, line, most - lines));
        if (!page.json.empty()) data += (data.empty() ? "" : ",") + page.json;
        lines += page.lines;
        if (page.has_next || lines >= most || data.size() > (8U << 20U)) {
            const auto following = page.has_next ? job : std::next(job);
            if (following != jobs.end())
                next = following->id.str() + "." + std::to_string(page.has_next ? page.next : 0);
            break;
        }
    }
    Response response;
    response.body = "{\"data\":[" + data + "],\"pagination\":{\"hasNext\":" + (next.empty() ? "false" : "true");
    if (!next.empty()) {
        response.body += ",\"nextCursor\":";
        codec::append_json_string(next, response.body);
    }
    response.body += "}}";
    return response;
}

}  // namespace cicd::api
