#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"
#include "common/model/run.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/control.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The door for steps that are more than a script: what a language's `uses` means is known above this folder.
namespace cicd::runner {

class Context;
class Keeping;
struct Folders;

/// What became of a program, or of all that a step did.
struct StepEnd {
    model::StepState state = model::StepState::success;
    std::optional<model::EndReason> reason = model::EndReason::exit;
    std::string message;
    std::optional<int> exit_code;
    model::Texts outputs;
    bool forgivable = true;  ///< continueOnError may apply
    model::Texts saved;      ///< what a program told for a later part of the same step
};

/// A program that there is already, to be run in the workspace.
struct StepProgram {
    std::vector<std::string> argv;
    model::Texts env;  ///< besides the job's
    std::optional<Milliseconds> timeout;
};

/// A program of an image, in a container beside the job's place; its files are the job's.
struct ContainerProgram {
    std::string image;                   ///< empty: made by
    os::Fd source;                       ///< this folder's
    std::string context, file;           ///< folder below it, and the Dockerfile there
    std::string entrypoint;              ///< empty: the image's
    std::vector<std::string> arguments;  ///< none: the image's
    model::Texts env;                    ///< besides what steps get
    std::string workspace, home, files;  ///< where it sees them
    model::Texts texts;                  ///< files by their paths there
    std::optional<Milliseconds> timeout;
};

/// What a step may ask of its job. Steps are named by their index in the spec.
class JobAccess {
public:
    virtual ~JobAccess() = default;
    [[nodiscard]] virtual const model::JobSpec& spec() const = 0;
    virtual Context& context() = 0;
    virtual Keeping& keeping() = 0;
    /// Kept so far.
    virtual std::vector<model::JobArtifact>& artifacts() = 0;
    [[nodiscard]] virtual const Folders& folders() const = 0;
    [[nodiscard]] virtual const std::string& title(int step) const = 0;
    /// As the job sees it; waits until it is there.
    virtual Result<os::Fd> open_workspace() = 0;
    virtual void note(int step, std::string_view line) = 0;
    /// Obeys what came meanwhile; false where nothing can run any more.
    virtual bool goes_on() = 0;
    /// Why a step does not run, or nothing.
    virtual std::optional<std::string> skipped(const model::Step& step) = 0;
    [[nodiscard]] virtual std::optional<Milliseconds> timeout_of(const model::Step& step) const = 0;
    /// Tells it, and gives the step's end.
    virtual StepEnd failure(int step, const Error& error, model::EndReason reason = model::EndReason::exit) = 0;
    /// A step within step `step`. The context has its own variables; afterwards it is `before`, with what was learned.
    virtual StepEnd perform(int step, const model::Step& inner, const Context& before) = 0;
    virtual StepEnd run(int step, const StepProgram& asked) = 0;
    /// Skipped, with the reason, where there is no engine that could do it.
    virtual StepEnd run_container(int step, const ContainerProgram& asked) = 0;
    /// A program of ours, outside of the job's place; gives its wait status.
    virtual Result<int> run_outside(os::SpawnOptions options) = 0;
    /// A socket that listens where the job's programs reach it as 127.0.0.1.
    virtual Result<os::Fd> listen() = 0;
    /// From now on the log does not show it.
    virtual void hide(std::string_view text) = 0;
    /// A part of the step that ran when all others had ended has failed: so has the job.
    virtual void fail_late(int step, const StepEnd& end) = 0;
};

/// Performs the steps of one job that have `uses`, and gives the job what its language promises.
class Performer {
public:
    virtual ~Performer() = default;
    /// When the place is known, before anything is evaluated.
    virtual void complete_contexts() = 0;
    /// Before the first step: what is kept is put back when a step asks for it.
    virtual Result<void> prepare() = 0;
    virtual void add_variables(model::Texts& env, std::string_view shell) const = 0;
    /// What is to lie beside the scripts, from the first program on.
    virtual void add_files(Program& program) = 0;
    /// Before step `step` goes on while others do: what they would share is there.
    virtual void share(int step) = 0;
    virtual StepEnd use(int step, const model::Step& what) = 0;
    /// After the last step.
    virtual void finish() = 0;
};

/// Nothing for a job whose language needs none.
using MakePerformer = std::unique_ptr<Performer> (*)(JobAccess& job);

}  // namespace cicd::runner
