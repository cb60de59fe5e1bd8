#include "cli/doctor.hpp"

#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {{.names = "--deep", .help = "Also read all artifacts and caches, and name what is damaged"}};
constexpr Example examples[] = {{"cicdctl doctor", "what is missing, and the command that mends it"},
                                {"cicdctl doctor -o json | jq '.findings[] | select(.ok | not)'", "for a program"}};

std::string_view sign(const Finding& finding) {
    switch (finding.level) {
        case Finding::Level::good:
            return "✓";
        case Finding::Level::notice:
            return "!";
        case Finding::Level::bad:
            return "✗";
    }
    return " ";
}

render::Tone tone(const Finding& finding) {
    switch (finding.level) {
        case Finding::Level::good:
            return render::Tone::green;
        case Finding::Level::notice:
            return render::Tone::yellow;
        case Finding::Level::bad:
            return render::Tone::red;
    }
    return render::Tone::plain;
}

Value document(const std::vector<Finding>& findings, bool ok) {
    Array all;
    for (const auto& finding : findings) {
        Object one{{"name", finding.name},
                   {"ok", finding.level != Finding::Level::bad},
                   {"level", std::string(to_text(finding.level))},
                   {"detail", finding.detail}};
        if (!finding.remedy.empty()) one.set("remedy", finding.remedy);
        all.emplace_back(std::move(one));
    }
    return Object{{"ok", ok}, {"findings", std::move(all)}};
}

/// Every byte that is kept for jobs: what is damaged, and what needs it.
Result<void> look_deep(Session& session, std::vector<Finding>& findings) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto report, daemon->scrub());
    if (!report["damages"].is_array()) return internal_error("the daemon's answer holds no damages");
    for (const auto& damage : report["damages"].as_array()) {
        std::string needed;
        if (damage["neededBy"].is_array())
            for (const auto& who : damage["neededBy"].as_array()) needed += (needed.empty() ? "" : ", ") + who.as_string();
        findings.push_back({"objects", Finding::Level::bad, damage["problem"].as_string() + "; needed by " + needed,
                            "run again the jobs that made it, and delete what is damaged: cicdctl artifact rm, cicdctl cache rm"});
    }
    if (report["damages"].as_array().empty())
        findings.push_back({"objects", Finding::Level::good, number_text(report["objects"].as_number()) + " objects are whole, " +
                                                                  humanize_size(static_cast<std::uint64_t>(report["bytes"].as_number()))});
    return {};
}

Result<ExitCode> doctor(Session& session, const Arguments& arguments) {
    auto findings = examine(session);
    if (arguments.has("--deep")) CICD_CHECK(look_deep(session, findings));
    bool ok = true;
    std::string text;
    const auto paint = session.console().paint();
    for (const auto& finding : findings) {
        ok = ok && finding.level != Finding::Level::bad;
        if (session.quiet() && finding.level == Finding::Level::good) continue;
        text += paint(tone(finding), sign(finding)) + " " + render::padded(finding.name, 15) + finding.detail + "\n";
        if (!finding.remedy.empty()) text += "    mend it: " + paint(render::Tone::bold, finding.remedy) + "\n";
    }
    if (session.structured()) {
        session.print(document(findings, ok));
    } else {
        session.console().out(text);
    }
    return ok ? ExitCode::success : ExitCode::infrastructure;
}

}  // namespace

constinit const Command doctor_command{
    .name = "doctor",
    .summary = "Check that this machine can run pipelines",
    .description =
        "Exit 0 where jobs can run (with '!': something could be better), 3 where something is to be mended.",
    .options = options,
    .examples = examples,
    .handler = doctor};

}  // namespace cicd::cli
