#pragma once

#include "common/codec/json.hpp"
#include "common/contract/explain.hpp"
#include "common/contract/requests.hpp"
#include "common/model/job_spec.hpp"
#include "common/model/pipeline.hpp"
#include "common/model/plan.hpp"
#include "common/model/run.hpp"

#include <string_view>

/// Every type that has a JSON shape. Times are RFC 3339 in UTC with milliseconds, durations of definitions "1h30m",
/// enums their text. Reading refuses wrong types by the field's name and ignores fields it does not know, except in
/// what is asked (StartRun, RetryRun, …), where an unknown field is refused with a suggestion.
namespace cicd::codec {

#define CICD_DECLARE_CODEC(T)     \
    template <>                   \
    Value encode(const T& value); \
    template <>                   \
    Result<T> decode(const Value& value);

// The job directory: fields at their default are left out.
CICD_DECLARE_CODEC(model::JobSpec)
CICD_DECLARE_CODEC(model::JournalEntry)
CICD_DECLARE_CODEC(model::JobExit)
CICD_DECLARE_CODEC(model::Usage)

// Definitions, with every position: decode(encode(x)) is x.
CICD_DECLARE_CODEC(model::Step)
CICD_DECLARE_CODEC(model::Pipeline)
CICD_DECLARE_CODEC(model::Component)
CICD_DECLARE_CODEC(model::Event)
CICD_DECLARE_CODEC(model::Source)
CICD_DECLARE_CODEC(model::Plan)

// What the API answers.
CICD_DECLARE_CODEC(model::StepRun)
CICD_DECLARE_CODEC(model::JobRun)
CICD_DECLARE_CODEC(model::JobArtifact)
CICD_DECLARE_CODEC(model::JobCache)
CICD_DECLARE_CODEC(model::ArtifactRecord)
CICD_DECLARE_CODEC(contract::Page<model::ArtifactRecord>)
CICD_DECLARE_CODEC(model::StageRun)
CICD_DECLARE_CODEC(model::Run)
CICD_DECLARE_CODEC(model::RunEvent)
CICD_DECLARE_CODEC(model::PipelineRecord)
CICD_DECLARE_CODEC(model::Secret)
CICD_DECLARE_CODEC(model::SecretEvent)
CICD_DECLARE_CODEC(contract::LogEntry)
CICD_DECLARE_CODEC(contract::DaemonStatus)
CICD_DECLARE_CODEC(contract::Explanation)
CICD_DECLARE_CODEC(contract::CleanUpReport)
CICD_DECLARE_CODEC(contract::Image)
CICD_DECLARE_CODEC(contract::ImageList)
CICD_DECLARE_CODEC(contract::BackupReport)
CICD_DECLARE_CODEC(contract::Pagination)
CICD_DECLARE_CODEC(contract::Page<model::Run>)
CICD_DECLARE_CODEC(contract::Page<model::JobRun>)
CICD_DECLARE_CODEC(contract::Page<model::PipelineRecord>)

// What the API is asked.
CICD_DECLARE_CODEC(contract::StartRun)
CICD_DECLARE_CODEC(contract::RetryRun)
CICD_DECLARE_CODEC(contract::Cancel)
CICD_DECLARE_CODEC(contract::Reschedule)
CICD_DECLARE_CODEC(contract::CleanUp)
CICD_DECLARE_CODEC(contract::ImportImage)
CICD_DECLARE_CODEC(contract::BuildImage)
CICD_DECLARE_CODEC(contract::BuildProgress)
CICD_DECLARE_CODEC(contract::Backup)
CICD_DECLARE_CODEC(contract::SavePipeline)
CICD_DECLARE_CODEC(contract::SaveSecret)

/// `{"error": {code, message, details, ...}}`
CICD_DECLARE_CODEC(Error)
CICD_DECLARE_CODEC(Diagnostic)

#undef CICD_DECLARE_CODEC

/// An error as the API answers it; an empty documentation link is left out.
Value encode_error(const Error& error, std::string_view request_id, std::string_view documentation = {});

}  // namespace cicd::codec
