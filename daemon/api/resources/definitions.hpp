#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/model/pipeline.hpp"
#include "daemon/api/services.hpp"

#include <string>

/// Stored pipelines and their definitions. Everything here blocks.
namespace cicd::api {

/// The record with what the request changes, checked: a definition with any error is refused with all its problems.
Result<model::PipelineRecord> changed_record(Services& services, model::PipelineRecord record,
                                             const contract::SavePipeline& request);

Result<model::PipelineRecord> save_new(Services& services, const contract::SavePipeline& request, std::string user);
Result<model::PipelineRecord> save_changed(Services& services, const std::string& id_or_name,
                                           const contract::SavePipeline& request);

/// The record's own text, or what its repository holds now.
Result<std::string> definition_text(Services& services, const model::PipelineRecord& record);
Result<model::Pipeline> definition_model(Services& services, const model::PipelineRecord& record);

}  // namespace cicd::api
