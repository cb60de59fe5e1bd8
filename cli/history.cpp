#include "cli/history.hpp"

namespace cicd::cli {
namespace {

constexpr int runs_looked_at = 5;
constexpr std::size_t most_jobs = 200;  ///< of a larger run its stages are enough: its jobs would be a large answer
constexpr auto earliest = std::chrono::milliseconds(500);

}  // namespace

void History::list(const model::Run& run) {
    contract::RunFilter filter;
    filter.pipeline = run.pipeline_id.empty() ? run.pipeline : run.pipeline_id.str();
    if (run.pipeline_id.empty() && !run.source.repository.empty()) filter.repositories = {run.source.repository};
    filter.states = {model::RunState::success};
    filter.page_size = runs_looked_at;
    if (auto page = client_->list_runs(filter)) past_ = std::move(page->data);
}

void History::look_up(render::RunProgress& progress) {
    switch (phase_) {
        case Phase::early:
            if (std::chrono::steady_clock::now() - start_ < earliest) return;
            client_.emplace(session_.another_connection());
            phase_ = Phase::list;
            return;
        case Phase::list:
            list(progress.run());
            if (!past_.empty()) progress.expect(render::expectations_from(past_));
            phase_ = past_.empty() || progress.run().jobs.size() > most_jobs ? Phase::done : Phase::runs;
            break;
        case Phase::runs:
            if (auto whole = client_->show_run(past_[next_].id.str())) past_[next_] = *std::move(whole);
            progress.expect(render::expectations_from(past_));
            if (++next_ == past_.size()) phase_ = Phase::done;
            break;
        case Phase::done:
            return;
    }
    if (phase_ == Phase::done) client_.reset();
}

}  // namespace cicd::cli
