#include "daemon/api/resources/logs.hpp"

#include "common/codec/codecs.hpp"
#include "daemon/api/log_follower.hpp"

namespace cicd::api {
namespace {

LogFollower log_of(Services& services, const model::JobRun& job, int attempt, std::uint64_t first_line) {
    const int counted = attempt > 0 ? attempt : std::max(1, job.attempt);
    return {job.id, job.key, counted, services.runs.job_directory(job.id, counted), first_line};
}

struct TextLogs {
    std::vector<model::JobRun> jobs;
    bool named;
    int attempt;
    std::uint64_t first_line;
};

async::Task<void> write_text(Services& services, TextLogs what, BodyStream& out) {
    for (const auto& job : what.jobs) {
        auto log = log_of(services, job, what.attempt, what.first_line);
        bool at_line_start = true;
        for (;;) {
            const auto lines = log.read();
            if (!lines || lines->empty()) break;
            std::string text;
            for (const auto& line : *lines) {
                if (what.named && at_line_start) text += line.job_key + " | ";
                text += line.text;
                if (!line.partial) text += '\n';
                at_line_start = !line.partial;
            }
            if (!co_await out.send(std::move(text))) co_return;
        }
    }
}

}  // namespace

bool wants_text(const Request& request) {
    const auto format = request.query_value("format");
    return format.empty() ? request.accepts("text/plain") : format == "text";
}

Response text_logs(Services& services, std::vector<model::JobRun> jobs, bool named, int attempt,
                   std::uint64_t first_line) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    TextLogs what{std::move(jobs), named, attempt, first_line};
    response.stream = [&services, what = std::move(what)](BodyStream& out) { return write_text(services, what, out); };
    return response;
}

Result<Array> collect_logs(Services& services, const std::vector<model::JobRun>& jobs, std::uint64_t most) {
    Array data;
    for (const auto& job : jobs) {
        auto log = log_of(services, job, 0, 0);
        for (;;) {
            CICD_TRY(const auto lines, log.read());
            if (lines.empty()) break;
            for (const auto& line : lines) {
                if (data.size() >= most) return data;
                data.push_back(codec::encode(line));
            }
        }
    }
    return data;
}

}  // namespace cicd::api
