#include "common/codec/codecs.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace cicd;
using codec::decode;
using codec::encode;
using codec::parse_json;
using codec::to_json;

namespace {

constexpr Timestamp start{Milliseconds(1'795'262'400'123)};

/// The shape of a type is frozen: change a golden file only together with the API's version.
template <class T>
void check_golden(const std::string& name, const T& value) {
    const std::string path = std::string(CICD_SOURCE_DIR) + "/tests/golden/json/" + name + ".json";
    const std::string text = to_json(encode(value), 2) + "\n";
    if (std::getenv("CICD_UPDATE_GOLDEN")) std::ofstream(path) << text;
    std::stringstream golden;
    golden << std::ifstream(path).rdbuf();
    CAPTURE(name);
    CHECK(text == golden.str());
    const auto back = decode<T>(*parse_json(text));
    REQUIRE(back.has_value());
    CHECK(to_json(encode(*back)) == to_json(encode(value)));
    if constexpr (std::equality_comparable<T>) CHECK(*back == value);
}

model::StepRun step() {
    return {0,  "compile", "Compile", model::StepState::failed, start, start + Milliseconds(1200),
            2,  model::EndReason::exit, "make failed", {900, 1 << 20, 1200}};
}

model::JobRun job() {
    model::JobRun job;
    job.id = JobId("job-7");
    job.run = RunId("run-42");
    job.key = "test.unit (linux)";
    job.name = "unit (linux)";
    job.stage = "test";
    job.state = model::JobState::failed;
    job.attempt = 2;
    job.priority = model::Priority::low;
    job.not_before = start;
    job.created_time = job.queued_time = start;
    job.start_time = start;
    job.end_time = start + Milliseconds(65'000);
    job.exit_code = 2;
    job.end_reason = model::EndReason::exit;
    job.message = "step 'Compile' failed";
    job.outputs = Object{{"version", "1.2"}};
    job.steps = {step()};
    return job;
}

model::Event event() {
    return {.type = model::TriggerType::pull_request, .branch = "topic", .base_branch = "main", .action = "opened", .pull_request = 5,
            .actor = "ada", .changed_paths = model::Strings{"src/a.cpp"}};
}

model::Source source() {
    model::Source source;
    source.repository = "/src/app";
    source.name = "app";
    source.commit = "c0ffee";
    source.tree = "beef";
    source.branch = "topic";
    source.dirty = true;
    source.pipeline_file = ".cicd/pipeline.yaml";
    return source;
}

model::Run run() {
    model::Run run;
    run.id = RunId("run-42");
    run.number = 42;
    run.pipeline = "build";
    run.pipeline_version = 1;
    run.state = model::RunState::running;
    run.priority = model::Priority::high;
    run.triggered_by = "ada";
    run.event = event();
    run.source = source();
    run.created_time = run.start_time = start;
    run.retry_of = RunId("run-41");
    run.stages = {{"test", model::StageState::failed, start, start + Milliseconds(10), ""}};
    run.jobs = {job()};
    return run;
}

model::Job definition() {
    model::Job job;
    job.name = "unit";
    job.needs = {{"build", "compile", {"p.yaml", 3, 4, "/stages/1"}}};
    job.env = {{"B", "2"}, {"A", "${{ params.a }}"}};
    job.resources.memory = 500ULL << 20U;
    job.resources.cpu = 1.5;
    job.timeout = Milliseconds(5'400'250);
    job.retry = model::Retry{2, {model::EndReason::oom, model::EndReason::lost}, {75, 137}, Milliseconds(1500)};
    job.allow_failure = {false, "${{ matrix.experimental }}"};
    job.fail_fast = {true, "${{ params.fast }}"};
    job.matrix = model::Matrix{"", {{"os", {"linux", 3, Object{{"x", nullptr}}}, ""}}, {Object{{"os", "bsd"}}}, {}, "", ""};
    model::Step one;
    one.run = "make";
    one.with = {{"n", 3}, {"list", Array{1, "two"}}};
    one.mark = {"p.yaml", 9, 2, "/stages/0/jobs/0/steps/0"};
    job.steps = {one, {}};
    return job;
}

model::Plan plan() {
    model::Plan plan;
    plan.pipeline = "build";
    plan.event = event();
    plan.source = source();
    plan.trigger = {model::Decision::run, "manual"};
    plan.params = Object{{"level", 3}};
    plan.concurrency = model::Concurrency{"deploy", {true, ""}};
    plan.stages = {{"test", {{"build", "", {}}}, "always", false, false, Milliseconds(60'000), {}, "", {}}};
    model::PlannedJob planned;
    planned.key = planned.base = "test.unit";
    planned.name = "unit";
    planned.stage = "test";
    planned.matrix = Object{{"os", "linux"}};
    planned.reason = {model::Decision::later, "its matrix needs results"};
    planned.job = definition();
    plan.jobs = {planned};
    plan.notices = {"no limit on pids here"};
    return plan;
}

}  // namespace

TEST_CASE("each type keeps its shape, and reads back as it was") {
    check_golden("run", run());
    check_golden("job", job());
    check_golden("step", step());
    check_golden("plan", plan());
    check_golden("run_page", contract::Page<model::Run>{{run()}, {1, 20, 21, true, "bnVtYmVy"}});

    model::RunEvent ended{9,  RunId("run-42"), start, "job.state", "test", "test.unit", JobId("job-7"), "failed", {},
                          "", 2, model::EndReason::exit, 1, "", 1200};
    check_golden("run_event", ended);

    model::JobSpec spec;
    spec.job = JobId("job-7");
    spec.run = RunId("run-42");
    spec.key = "test.unit";
    spec.workspace = "/w";
    spec.contexts = Object{{"params", Object{{"a", 1}}}};
    spec.env = {{{"A", "1"}}, {}, {{"A", "2"}}};
    spec.steps = definition().steps;
    spec.limits = {2.0, 1ULL << 30U, 100, 2ULL << 30U};
    check_golden("job_spec", spec);
    check_golden("journal_entry", model::JournalEntry{model::JournalType::step_ended, start, 0, "Compile",
                                                      model::StepState::failed, 2, model::EndReason::exit, "no", {}, 0});
    check_golden("job_exit", model::JobExit{model::JobState::failed, 2, model::EndReason::exit, "failed", start,
                                            start + Milliseconds(5), Object{{"k", "v"}}, {1, 2, 3}, {step()}});
    check_golden("pipeline_record",
                 model::PipelineRecord{PipelineId("pipeline-1"), "build", "builds", model::PipelineState::active, 2,
                                       "/src/app", ".cicd/p.yaml", "name: build\n", "ada", start, start});
    check_golden("log_entry", contract::LogEntry{JobId("job-7"), "test.unit", 12, 1, model::LogStream::err, start,
                                                 "error: x", false, 2});
    check_golden("daemon_status", contract::DaemonStatus{12, "0.1.0", "/s", "/s/cicdd.sock", start, 1, 2, 3, 2.0,
                                                         1ULL << 33U, 4, 1, false, "the disk is full", "cgroup1"});
    contract::StartRun request;
    request.repository = "/src/app";
    request.working_tree = true;
    request.params = {{"level", "3"}};
    request.stages = {"test"};
    request.priority = model::Priority::high;
    request.from_stage = "test";
    check_golden("start_run", request);
    check_golden("retry_run", contract::RetryRun{false, "test", {"test.unit", "job-7"}});
    check_golden("reschedule", contract::Reschedule{model::Priority::critical, start});
    check_golden("clean_up", contract::CleanUp{true});
    check_golden("clean_up_report", contract::CleanUpReport{1, 2, 3, 4, 5, {"run-1 is still running"}});
    const model::SecretScope scope{"/src/app", "production", "release/**"};
    check_golden("secret", model::Secret{"TOKEN", scope, 3, start, start, "ada", "bob", start, start, "job-7"});
    check_golden("secret_event", model::SecretEvent{start, "used", "TOKEN", scope, 3, "job-7"});
    check_golden("save_secret", contract::SaveSecret{"TOKEN", "caf\xe9", scope, start});
    check_golden("backup", contract::Backup{"/b.tar", true, false});
    check_golden("backup_report", contract::BackupReport{"/b.tar", "ab12", 9, 1, 2});
    const contract::Cause cause{contract::CauseKind::capacity, "needs 2 cores, 1 is free",
                                Object{{"resource", "cpu"}, {"needed", 2}}, "wait"};
    check_golden("explanation",
                 contract::Explanation{RunId("run-42"), "running", contract::Verdict::runs, {cause},
                                       {{JobId("job-7"), "test.unit", "queued", contract::Verdict::waits, {cause}}}});
    check_golden("cancel", contract::Cancel{"not needed"});
    check_golden("save_pipeline",
                 contract::SavePipeline{"build", "", "", Object{{"stages", Array{}}}, "/src/app", "", model::PipelineState::draft});
    check_golden("error", Error{ErrorKind::conflict, "RUN_002", "no", "wait",
                                {{Severity::warning, "p.yaml", 3, 4, "/stages", "bad", "did you mean 'stages'?"}}});
}

TEST_CASE("marks survive, though they never make definitions different") {
    model::Pipeline pipeline;
    pipeline.name = "p";
    pipeline.mark = {"p.yaml", 1, 1, ""};
    model::Stage stage;
    stage.name = "s";
    stage.needs.emplace();  // empty is not the same as absent
    stage.jobs = {definition()};
    model::Parameter parameter;
    parameter.name = "q";
    parameter.default_value = Value();  // null is not the same as absent
    pipeline.parameters = {parameter};
    pipeline.stages = {stage};
    const auto back = *decode<model::Pipeline>(*parse_json(to_json(encode(pipeline))));
    CHECK(back == pipeline);
    CHECK(back.mark.file == "p.yaml");
    CHECK(back.stages[0].jobs[0].steps[0].mark.pointer == "/stages/0/jobs/0/steps/0");
}

TEST_CASE("wrong types are told by the field's name") {
    const auto message = [](const std::string& json) { return decode<model::Run>(*parse_json(json)).error().message; };
    CHECK(message("[]") == "the JSON document must be an object");
    CHECK(message("{}") == "field 'id' is missing");
    CHECK(message(R"({"id":"run-1","number":"1"})") == "field 'number' must be a number");
    CHECK(message(R"({"id":"run-1","number":1.5})") == "field 'number' must be a whole number");
    CHECK(message(R"({"id":"run-1","number":1,"status":"done"})").starts_with("field 'status' must be one of created"));
    CHECK(message(R"({"id":"run-1","number":1,"status":"failed","jobs":[{"id":3}]})") ==
          "field 'jobs[0].id' must be a string");
}

TEST_CASE("requests refuse what they do not know") {
    const auto typo = decode<contract::StartRun>(*parse_json(R"({"brnach":"main"})"));
    CHECK(typo.error().message == "field 'brnach' is not known here");
    CHECK(typo.error().hint == "did you mean 'branch'?");
    CHECK_FALSE(decode<contract::RetryRun>(*parse_json(R"({"failed":true})")).has_value());
    CHECK_FALSE(decode<contract::SavePipeline>(*parse_json(R"({"nmae":"x"})")).has_value());
    CHECK(decode<contract::RetryRun>(Value())->failed_only);
    const auto params = decode<contract::StartRun>(*parse_json(R"({"params":{"n":3,"b":true,"l":[1],"s":"x"}})"));
    CHECK(params->params == model::Texts{{"n", "3"}, {"b", "true"}, {"l", "[1]"}, {"s", "x"}});
}

TEST_CASE("a definition is text or an object, under either name") {
    CHECK(decode<contract::SavePipeline>(*parse_json(R"({"yaml_config":"name: x"})"))->definition == "name: x");
    CHECK(decode<contract::SavePipeline>(*parse_json(R"({"definition":{"name":"x"}})"))->definition_value["name"] ==
          Value("x"));
    CHECK_FALSE(decode<contract::SavePipeline>(*parse_json(R"({"definition":3})")).has_value());
    CHECK_FALSE(decode<contract::SavePipeline>(*parse_json(R"({"definition":"a","yaml_config":"b"})")).has_value());
}

TEST_CASE("an error carries its request and documentation") {
    const Value wire = codec::encode_error(not_found("RUN_001", "no"), "req-1", "https://example.org/RUN_001");
    CHECK(wire["error"]["requestId"] == Value("req-1"));
    CHECK(wire["error"]["documentation"] == Value("https://example.org/RUN_001"));
    const auto foreign = decode<Error>(*parse_json(R"({"error":{"code":"X","message":"y"}})"));
    CHECK(foreign->code == "X");
}
