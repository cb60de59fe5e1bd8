#include "cli/doctor.hpp"

#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

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

Result<ExitCode> doctor(Session& session, const Arguments&) {
    const auto findings = examine(session);
    bool ok = true;
    std::string text;
    const auto paint = session.console().paint();
    for (const auto& finding : findings) {
        ok = ok && finding.level != Finding::Level::bad;
        if (session.quiet() && finding.level == Finding::Level::good) continue;
        text += paint(tone(finding), sign(finding)) + " " + render::padded(finding.name, 12) + finding.detail + "\n";
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
    .examples = examples,
    .handler = doctor};

}  // namespace cicd::cli
