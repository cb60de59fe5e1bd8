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
Result<std::vector<E>> read_states(const Request& request) {
    std::vector<E> states;
    for (const auto& text : split(request.query_value("status"), ',')) {
        if (text.empty()) continue;
        const auto state = from_text<E>(text);
        if (!state)
            return invalid(std::string(contract::code::bad_request), "'" + text + "' is no status",
                           "there are: " + all_texts<E>());
        states.push_back(*state);
    }
    return states;
}
template Result<std::vector<model::RunState>> read_states(const Request&);
template Result<std::vector<model::JobState>> read_states(const Request&);

Result<contract::RunFilter> read_run_filter(const Request& request) {
    contract::RunFilter filter;
    CICD_TRY(const auto page, read_page(request));
    CICD_TRY(filter.states, read_states<model::RunState>(request));
    filter.page = page.page;
    filter.page_size = page.page_size;
    filter.pipeline = request.query_value("pipeline");
    filter.branch = request.query_value("branch");
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
