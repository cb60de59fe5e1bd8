#include "daemon/api/resources/answers.hpp"

#include "common/base/text.hpp"
#include "common/contract/errors.hpp"

namespace cicd::api {
namespace {

constexpr int largest_page = 1000;

}  // namespace

Result<PageOf> read_page(const Request& request) {
    PageOf page;
    CICD_TRY(const auto number, query_number(request, "page", 1, 1, 1'000'000));
    const auto* size_name = request.query_value("pageSize").empty() ? "limit" : "pageSize";
    CICD_TRY(const auto size, query_number(request, size_name, page.page_size, 1, largest_page));
    page.page = static_cast<int>(number);
    page.page_size = static_cast<int>(size);
    return page;
}

template <class E>
Result<std::vector<E>> read_states(const Request& request, const std::string& name) {
    std::vector<E> states;
    for (const auto& text : split(request.query_value(name), ',')) {
        if (text.empty()) continue;
        const auto state = from_text<E>(text);
        if (!state)
            return invalid(std::string(contract::code::bad_request), "'" + text + "' is no " + name,
                           "there are: " + all_texts<E>());
        states.push_back(*state);
    }
    return states;
}
template Result<std::vector<model::RunState>> read_states(const Request&, const std::string&);
template Result<std::vector<model::JobState>> read_states(const Request&, const std::string&);
template Result<std::vector<model::TriggerType>> read_states(const Request&, const std::string&);

/// A time in the query.
Result<std::optional<Timestamp>> read_moment(const Request& request, std::string_view name) {
    const auto text = request.query_value(name);
    if (text.empty()) return std::optional<Timestamp>();
    const auto time = parse_time(text);
    if (!time)
        return invalid(std::string(contract::code::bad_request), "'" + std::string(name) + "' is '" + text + "'",
                       "give a time such as 2026-11-21T04:40:32.123Z");
    return std::optional<Timestamp>(*time);
}

Result<contract::RunFilter> read_run_filter(const Request& request) {
    contract::RunFilter filter;
    CICD_TRY(const auto page, read_page(request));
    CICD_TRY(filter.states, read_states<model::RunState>(request));
    filter.page = page.page;
    filter.page_size = page.page_size;
    filter.pipeline = request.query_value("pipeline");
    filter.branch = request.query_value("branch");
    filter.user = request.query_value("user");
    filter.commit = request.query_value("commit");
    filter.cursor = request.query_value("cursor");
    CICD_TRY(filter.events, read_states<model::TriggerType>(request, "event"));
    CICD_TRY(filter.since, read_moment(request, "since"));
    CICD_TRY(filter.until, read_moment(request, "until"));
    for (const auto& repository : split(request.query_value("repository"), ','))
        if (!repository.empty()) filter.repositories.push_back(repository);
    if (const auto sort = request.query_value("sort"); !sort.empty()) filter.sort = sort;
    return filter;
}

Result<contract::JobFilter> read_job_filter(const Request& request) {
    contract::JobFilter filter;
    CICD_TRY(const auto page, read_page(request));
    CICD_TRY(filter.states, read_states<model::JobState>(request));
    filter.page = page.page;
    filter.page_size = page.page_size;
    filter.cursor = request.query_value("cursor");
    filter.run = request.query_value("run");
    filter.stage = request.query_value("stage");
    filter.name = request.query_value("name");
    if (const auto sort = request.query_value("sort"); !sort.empty()) filter.sort = sort;
    return filter;
}

std::string id_of(const Request& request) {
    for (const std::string_view name : {"pipelineId", "runId", "executionId", "jobId"})
        if (const auto& id = request.parameter(name); !id.empty()) return id;
    return {};
}

}  // namespace cicd::api
