#include "daemon/store/connection.hpp"

#include <sqlite3.h>

#include <charconv>

namespace cicd::store {

namespace {
constexpr int busy_timeout_ms = 5000;
}

Connection::Connection(const std::filesystem::path& file, int flags)
    : database_(file.string(), flags | SQLite::OPEN_NOMUTEX, busy_timeout_ms) {
    database_.exec("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
}

Query Connection::query(const std::string& sql) {
    auto& statement = statements_[sql];
    if (!statement) statement = std::make_unique<SQLite::Statement>(database_, sql);
    return Query(*statement);
}

Error as_error(const SQLite::Exception& exception, const std::string& doing) {
    const std::string what = "cannot " + doing + ": " + exception.what();
    switch (exception.getErrorCode()) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return unavailable("STATE_001", what, "another program holds the state file: end it, then try again");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return unavailable("STATE_002", what,
                               "the state file is damaged: move it away, or restore it from a backup");
        case SQLITE_FULL:
        case SQLITE_IOERR:
            return unavailable("STATE_003", what, "free some space on the disk that holds the state directory");
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
            return unavailable("STATE_004", what, "check that the state directory exists and is yours to write");
        default: return internal_error(what);
    }
}

std::optional<std::int64_t> number_of(std::string_view id, std::string_view prefix) {
    if (id.size() > prefix.size() && id.substr(0, prefix.size()) == prefix && id[prefix.size()] == '-')
        id.remove_prefix(prefix.size() + 1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc() || end != id.data() + id.size() || number <= 0) return std::nullopt;
    return number;
}

}  // namespace cicd::store
