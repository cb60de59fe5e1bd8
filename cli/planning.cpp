#include "cli/planning.hpp"

#include "cli/autostart.hpp"
#include "cli/render/plan_graph.hpp"
#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {

Result<model::Plan> make_plan(Session& session, const contract::StartRun& request) {
    if (!request.pipeline.empty() || daemon_answers(session.socket())) {
        CICD_TRY(auto* daemon, session.daemon());
        CICD_TRY(const auto value, daemon->plan(request));
        return codec::decode<model::Plan>(value);
    }
    const Program program{
        sibling_program("cicdd"), {"plan"}, codec::to_json(codec::encode(request)), Milliseconds(600'000)};
    CICD_TRY(const auto finished, run_program(program));
    const auto answer = codec::parse_json(finished.out);
    if (!answer || !answer->is_object()) {
        const auto said = std::string(trim(finished.err));
        return internal_error("'cicdd plan' ended with code " + std::to_string(finished.exit_code) +
                              (said.empty() ? "" : ": " + said));
    }
    if (answer->as_object().contains("error")) {
        CICD_TRY(auto error, codec::decode<Error>(*answer));
        return error;
    }
    return codec::decode<model::Plan>(*answer);
}

Result<ExitCode> show_plan(const Session& session, const model::Plan& plan, const std::string& format) {
    const auto& console = session.console();
    if (session.structured()) {
        session.print(codec::encode(plan));
    } else if (session.output() == Output::name) {
        for (const auto& job : plan.jobs)
            if (job.reason.decision != model::Decision::skip) console.out(job.key + "\n");
    } else if (format == "dot") {
        console.out(render::plan_dot(plan));
    } else if (format == "mermaid") {
        console.out(render::plan_mermaid(plan));
    } else {
        console.out(render::plan_tree(plan, console.paint()));
    }
    return ExitCode::success;
}

}  // namespace cicd::cli
