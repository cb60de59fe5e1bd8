#include "common/contract/errors.hpp"

namespace cicd::contract {

int http_status(const Error& error) {
    if (error.code == code::method_not_allowed) return 405;
    if (error.code == code::too_large) return 413;
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
