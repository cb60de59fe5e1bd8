#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"

#include <algorithm>

// Jobs that wait for a place, their turn, and why something is as it is.
namespace cicd::api {
namespace {

Error nothing_to_change() {
    return invalid(std::string(contract::code::bad_request), "the request changes nothing",
                   "give 'priority' (critical, high, normal, low) or 'notBefore' (a time)");
}

async::Task<Answer> change_job(Services& services, Request request, contract::Reschedule change) {
    const auto job = co_await services.runs.reschedule_job(JobId(id_of(request)), change, request.user);
    co_return answer(job);
}

}  // namespace

async::Task<Answer> list_queue(Services& services, Request request) {
    const auto wanted = read_page(request);
    if (!wanted) co_return wanted.error();
    auto jobs = services.runs.queue();
    const auto total = static_cast<std::int64_t>(jobs.size());
    const auto from = std::min<std::int64_t>(total, static_cast<std::int64_t>(wanted->page - 1) * wanted->page_size);
    const auto to = std::min<std::int64_t>(total, from + wanted->page_size);
    contract::Page<model::JobRun> page;
    page.data.assign(std::make_move_iterator(jobs.begin() + from), std::make_move_iterator(jobs.begin() + to));
    page.pagination = {wanted->page, wanted->page_size, total, to < total, {}};
    co_return json_response(codec::encode(page));
}

async::Task<Answer> get_queued_job(Services& services, Request request) {
    const auto id = id_of(request);
    const auto jobs = services.runs.queue();
    const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job.id.str() == id; });
    if (found == jobs.end())
        co_return not_found(std::string(contract::code::job_not_found), "job '" + id + "' does not wait for a place",
                            "see how it is with: cicdctl show " + id);
    const auto value = codec::encode(*found);
    auto shown = value.as_object();
    shown.set("position", static_cast<double>(found - jobs.begin() + 1));
    co_return json_response(std::move(shown));
}

async::Task<Answer> set_job_priority(Services& services, Request request) {
    const auto change = read_body<contract::Reschedule>(request);
    if (!change) co_return change.error();
    if (!change->priority || change->not_before)
        co_return invalid(std::string(contract::code::bad_request), "give 'priority', and only that",
                          "there are: " + all_texts<model::Priority>());
    const auto result = co_await change_job(services, std::move(request), *change);
    co_return result;
}

async::Task<Answer> reschedule_job(Services& services, Request request) {
    const auto change = read_body<contract::Reschedule>(request);
    if (!change) co_return change.error();
    if (!change->priority && !change->not_before) co_return nothing_to_change();
    const auto result = co_await change_job(services, std::move(request), *change);
    co_return result;
}

async::Task<Answer> update_run(Services& services, Request request) {
    const auto change = read_body<contract::Reschedule>(request);
    if (!change) co_return change.error();
    if (!change->priority && !change->not_before) co_return nothing_to_change();
    const auto run = co_await services.runs.reschedule(RunId(id_of(request)), *change, request.user);
    co_return answer(run);
}

async::Task<Answer> explain_run(Services& services, Request request) {
    const auto explanation = co_await services.runs.explain(RunId(id_of(request)));
    co_return answer(explanation);
}

async::Task<Answer> explain_job(Services& services, Request request) {
    const auto explanation = co_await services.runs.explain_job(JobId(id_of(request)));
    co_return answer(explanation);
}

}  // namespace cicd::api
