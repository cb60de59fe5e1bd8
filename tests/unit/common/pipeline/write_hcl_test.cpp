#include "common/pipeline/parse.hpp"
#include "common/pipeline/write_hcl.hpp"

#include <doctest/doctest.h>

using namespace cicd;

TEST_CASE("a pipeline as HCL: attributes, quoted keys, escaped templates and lines") {
    const auto parsed = pipeline::parse_pipeline(
        "name: p\nenv: {A: x, B: 'say \"hi\" \\'}\nstages:\n  - name: one\n    commands: ['echo ${HOME} ${{ run.id }} 100%{x}', \"a\\nb\"]\n    retry: 2\n"
        "  - {name: two, needs: [], image: debian, jobs: {x y: {allowFailure: true, steps: [make]}}}\n", "p.yaml");
    for (const auto& problem : parsed.problems) FAIL_CHECK(problem.line << ": " << problem.message);
    const auto text = pipeline::export_hcl(parsed.value);
    INFO(text);
    const auto contains = [&](const std::string& part) { return text.find(part) != std::string::npos; };
    CHECK(text.starts_with("name = \"p\"\nenv = {\n  A = \"x\"\n  B = \"say \\\"hi\\\" \\\\\"\n}\nstages = [\n  {\n    name = \"one\"\n"));
    CHECK(contains("commands = [\"echo $${HOME} $${{ run.id }} 100%%{x}\", \"a\\nb\"]"));
    CHECK(contains("\"x y\" = {"));
    CHECK(contains("allowFailure = true"));
    CHECK(contains("retry = "));
    CHECK(text.ends_with("]\n"));
}
