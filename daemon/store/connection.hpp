#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/value.hpp"
#include "common/codec/json.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::store {

/// Bytes, for a column of type BLOB.
struct Blob {
    std::string_view bytes;
};

/// A prepared statement in use: bound from left to right, reset when it goes out of scope.
class Query {
public:
    explicit Query(SQLite::Statement& statement) : statement_(statement) {}
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query() {
        statement_.tryReset();
        statement_.clearBindings();
    }

    template <class... Values>
    Query& with(const Values&... values) {
        (bind(values), ...);
        return *this;
    }
    bool next() { return statement_.executeStep(); }
    /// How many rows it changed.
    int run() { return statement_.exec(); }

    [[nodiscard]] std::int64_t number(int column) { return statement_.getColumn(column).getInt64(); }
    [[nodiscard]] std::string text(int column) { return statement_.getColumn(column).getString(); }
    [[nodiscard]] std::string bytes(int column) {
        const auto value = statement_.getColumn(column);
        return {static_cast<const char*>(value.getBlob()), static_cast<std::size_t>(value.getBytes())};
    }
    [[nodiscard]] bool is_null(int column) { return statement_.getColumn(column).isNull(); }
    [[nodiscard]] std::optional<Timestamp> time(int column) {
        if (is_null(column)) return std::nullopt;
        return Timestamp(Milliseconds(number(column)));
    }

    void bind(std::int64_t value) { statement_.bind(++bound_, value); }
    void bind(int value) { statement_.bind(++bound_, value); }
    void bind(bool value) { statement_.bind(++bound_, value ? 1 : 0); }
    void bind(const std::string& value) { statement_.bind(++bound_, value); }
    void bind(std::string_view value) { statement_.bind(++bound_, std::string(value)); }
    void bind(Blob value) { statement_.bind(++bound_, value.bytes.data(), static_cast<int>(value.bytes.size())); }
    void bind(Timestamp value) { bind(static_cast<std::int64_t>(value.time_since_epoch().count())); }
    template <class T>
    void bind(const std::optional<T>& value) {
        if (value)
            bind(*value);
        else
            statement_.bind(++bound_);
    }

private:
    SQLite::Statement& statement_;
    int bound_ = 0;
};

/// One SQLite connection and the statements prepared on it, kept by their text. Used by one thread at a time.
class Connection {
public:
    Connection(const std::filesystem::path& file, int flags);

    Query query(const std::string& sql);
    SQLite::Database& database() { return database_; }

private:
    SQLite::Database database_;
    std::map<std::string, std::unique_ptr<SQLite::Statement>, std::less<>> statements_;
};

/// What SQLite threw, as an Error that says what to do.
Error as_error(const SQLite::Exception& exception, const std::string& doing);
/// "run-42" or "42" → 42. Null for anything else.
std::optional<std::int64_t> number_of(std::string_view id, std::string_view prefix);

template <class Tag>
std::optional<std::int64_t> number_of(const Id<Tag>& id) {
    return number_of(id.str(), Tag::prefix);
}
template <class Tag>
Id<Tag> id_of(std::int64_t number) {
    return Id<Tag>(std::string(Tag::prefix) + "-" + std::to_string(number));
}

/// Runs `body` (returning a Result) and turns what SQLite throws into its Error.
template <class Body>
auto guarded(const std::string& doing, Body&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const SQLite::Exception& exception) {
        return as_error(exception, doing);
    }
}

}  // namespace cicd::store
