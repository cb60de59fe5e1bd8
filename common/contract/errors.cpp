#include "common/contract/errors.hpp"

namespace cicd::contract {
namespace {

constexpr CodeMeaning meanings[] = {
    {"ARTIFACT_001", "artifact not found, expired or deleted"},
    {"ARTIFACT_002", "an artifact's name or paths cannot be used"},
    {"ARTIFACT_003", "what an artifact or cache would hold is refused"},
    {"ARTIFACT_004", "what is in a workspace is in the way of what is to be put back"},
    {"ARTIFACT_005", "the job has an artifact of that name already"},
    {"ARTIFACT_006", "an archive that was uploaded cannot be unpacked"},
    {"ARTIFACT_007", "an upload is too large"},
    {"ARTIFACT_008", "an upload that broke off cannot go on there, or not now"},
    {"BACKUP_001", "a backup cannot be written, or its files not put in place"},
    {"BACKUP_002", "the file is no backup, is damaged, or holds what no backup does"},
    {"BACKUP_003", "there is no such backup"},
    {"BACKUP_004", "a restore did not come to its end"},
    {"CACHE_001", "cache not found"},
    {"CACHE_002", "a cache's key or paths cannot be used"},
    {"CICD_069", "no daemon answers on the socket"},
    {"CICD_400", "the request, option or value cannot be read"},
    {"CICD_403", "not allowed"},
    {"CICD_404", "there is nothing at that path of the API"},
    {"CICD_405", "the path exists, but not with that method"},
    {"CICD_408", "the request did not arrive in time"},
    {"CICD_409", "the state does not allow it, or an Idempotency-Key came again with another body"},
    {"CICD_410", "the events that were asked for are no longer kept"},
    {"CICD_413", "the body is too large"},
    {"CICD_429", "too many connections are open"},
    {"CICD_431", "the request's header is too large"},
    {"CICD_500", "a fault of the daemon or of the machine"},
    {"CICD_501", "not available yet"},
    {"CICD_503", "the daemon is stopping, or something that it needs cannot be used"},
    {"CICD_507", "the daemon takes no new work for now: the disk is nearly full, or it was paused"},
    {"ENGINE_001", "there is no container engine, or nobody answers at its socket"},
    {"ENGINE_002", "what answers is no container engine that can be used"},
    {"ENGINE_003", "the container engine failed, or its answer cannot be understood"},
    {"ENGINE_004", "the configuration names no container engine"},
    {"EXPR_001", "an expression holds a character or literal that is none"},
    {"EXPR_002", "an expression cannot be parsed, or names what does not exist"},
    {"EXPR_003", "an expression cannot be evaluated"},
    {"IMAGE_001", "there is no such image on this machine"},
    {"IMAGE_002", "the image's name cannot be one"},
    {"IMAGE_003", "the image is damaged, for another machine, or no image at all"},
    {"IMAGE_004", "the image is too large, for its limits or for the disk"},
    {"IMAGE_005", "the image is in use"},
    {"IMAGE_006", "the image cannot be had from its registry"},
    {"IMAGE_007", "the image could not be made of packages"},
    {"JOB_001", "job not found"},
    {"JOB_002", "the job cannot be executed as it is written"},
    {"JOB_003", "the job's place could not be prepared: sandbox, container, component"},
    {"JOB_006", "the job is over already"},
    {"JOB_007", "another runner has the job's directory"},
    {"JOB_008", "the job's directory holds no description of it"},
    {"JOB_009", "the job runs already"},
    {"OBJECT_001", "content is no longer kept"},
    {"OBJECT_002", "content is damaged"},
    {"OBJECT_003", "the object store cannot be written"},
    {"PIPELINE_001", "pipeline or pipeline file not found"},
    {"PIPELINE_004", "the event does not start the pipeline"},
    {"PIPELINE_006", "the definition is not valid, or asks for what is not available yet"},
    {"PIPELINE_007", "the pipeline has no such stage"},
    {"PIPELINE_008", "the repository has several pipelines: name one"},
    {"PIPELINE_009", "the pipeline is disabled or archived"},
    {"PIPELINE_010", "another pipeline has that name"},
    {"REMOTE_001", "the object store elsewhere does not hold it"},
    {"REMOTE_002", "the object store elsewhere cannot be used"},
    {"RUN_001", "run not found"},
    {"RUN_002", "the run has not ended yet"},
    {"RUN_003", "there is nothing to retry"},
    {"RUN_004", "the run is over already"},
    {"SECRET_001", "secret not found"},
    {"SECRET_002", "a secret's name, value or scope cannot be"},
    {"SECRET_003", "the key of the secrets cannot be used: missing, another one, or readable by others"},
    {"SECRET_004", "a stored secret was changed and cannot be opened"},
    {"SOURCE_001", "there is no repository, or it has no working tree"},
    {"SOURCE_002", "the repository has no such branch, tag, commit or pull request"},
    {"SOURCE_003", "the source has no such file, or it cannot be read as one"},
    {"SOURCE_004", "the source is no longer kept"},
    {"SOURCE_005", "git failed: objects missing, fetch refused"},
    {"SOURCE_006", "a file of the working tree cannot be read"},
    {"SOURCE_007", "a file of the checkout cannot be written"},
    {"SOURCE_008", "the tree holds a path that would lead out of the checkout"},
    {"SOURCE_009", "the server of a repository cannot be talked to: not found, not reached, not trusted"},
    {"STATE_001", "the state file is locked by something else"},
    {"STATE_002", "the state file is damaged"},
    {"STATE_003", "the state file cannot be written: disk full or failing"},
    {"STATE_004", "the state file cannot be opened"},
    {"STATE_005", "the state file was written by a newer version"},
    {"ZONE_001", "the zone cannot be used: its folders, or the system's limits"},
};

}  // namespace

std::span<const CodeMeaning> code_meanings() { return meanings; }

int http_status(const Error& error) {
    if (error.code == code::method_not_allowed) return 405;
    if (error.code == code::too_large || (error.code == "ARTIFACT_007" && error.kind == ErrorKind::invalid)) return 413;
    if (error.code == code::header_too_large) return 431;
    if (error.code == code::too_slow) return 408;
    if (error.code == code::not_available_yet) return 501;
    switch (error.kind) {
        case ErrorKind::invalid: return error.code.starts_with("CICD_") ? 400 : 422;
        case ErrorKind::forbidden: return 403;
        case ErrorKind::not_found: return 404;
        case ErrorKind::blocked: return 423;
        case ErrorKind::conflict: return 409;
        case ErrorKind::unavailable: return 503;
        case ErrorKind::timeout: return 504;
        case ErrorKind::cancelled: return 410;
        case ErrorKind::internal: return 500;
    }
    return 500;
}

ErrorKind kind_of_status(int status) {
    switch (status) {
        case 401:
        case 403: return ErrorKind::forbidden;
        case 404: return ErrorKind::not_found;
        case 408:
        case 504: return ErrorKind::timeout;
        case 409: return ErrorKind::conflict;
        case 410: return ErrorKind::cancelled;
        case 423: return ErrorKind::blocked;
        case 501:
        case 502:
        case 503: return ErrorKind::unavailable;
        default: break;
    }
    return status >= 500 ? ErrorKind::internal : ErrorKind::invalid;
}

}  // namespace cicd::contract
