#pragma once

#include "daemon/store/connection.hpp"
#include "daemon/store/store.hpp"

#include <atomic>
#include <span>
#include <variant>

/// What is behind Store: one writing connection, and reading ones that are lent out.
namespace cicd::store {

class Readers {
public:
    explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}

    /// Returns its connection when it dies.
    class Lease {
    public:
        Lease(Readers& readers, std::unique_ptr<Connection> connection)
            : readers_(readers), connection_(std::move(connection)) {}
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease();
        Connection& operator*() { return *connection_; }
        Connection* operator->() { return connection_.get(); }

    private:
        Readers& readers_;
        std::unique_ptr<Connection> connection_;
    };
    Lease lend();

private:
    std::filesystem::path file_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

/// Numbers of one kind, reserved in the file in blocks.
struct Sequence {
    std::string kind;
    std::int64_t next = 1;
    std::int64_t end = 1;  ///< first number that is not reserved
};
constexpr std::int64_t id_block = 256;

/// Counts who wrote: before a write can be seen, and again when it is done.
class WriteMutex {
public:
    void lock() {
        mutex_.lock();
        ++version_;
    }
    void unlock() {
        ++version_;
        mutex_.unlock();
    }
    [[nodiscard]] std::uint64_t version() const { return version_; }

private:
    std::mutex mutex_;
    std::atomic<std::uint64_t> version_{0};
};

struct Store::State {
    explicit State(const std::filesystem::path& path)
        : file(path), writer(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE), readers(path) {}

    void begin(Sequence& sequence);
    std::int64_t take(Sequence& sequence);
    void give_back(Sequence& sequence) noexcept;
    /// Where few reserved numbers are left: reserves more in the transaction that is open. Gives the new ends.
    std::vector<std::pair<Sequence*, std::int64_t>> reserve_ahead();

    std::filesystem::path file;
    std::string owner;          ///< tells this opening of the file from every other
    bool wants_check = false;
    WriteMutex mutex;  ///< of `writer`; taken before `ids_mutex`
    Connection writer;
    Readers readers;
    std::mutex ids_mutex;
    Sequence run_ids{"run"}, job_ids{"job"}, pipeline_ids{"pipeline"};
};

/// Opens the transaction at once where it writes, so that it cannot fail half-way for being late.
inline SQLite::Transaction writing(Connection& connection) {
    return SQLite::Transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
}

std::int64_t pragma(Connection& connection, const std::string& name);
/// A file that is not too large for it as a whole; of any other, that nothing is cut off.
Result<void> check_at_start(Store::State& state, bool closed_well);

/// A `sort` of a list, checked against what the list allows: `ORDER BY …`.
struct SortField {
    std::string_view name, column;
    bool has_cursor = true;  ///< the column is indexed and never null
};
/// What a list is sorted by: `field.column`, then `tie_break`.
struct Order {
    SortField field;
    std::string_view tie_break;
    bool descending = false;
    [[nodiscard]] std::string sql() const;
};
Result<Order> order_by(std::string_view sort, std::span<const SortField> allowed, std::string_view tie_break);
Result<void> check_page(int page, int page_size);
contract::Pagination pagination(int page, int page_size, std::int64_t total);

/// Conditions of a list, joined by AND, with their values in order.
class Where {
public:
    void equals(const std::string& column, const std::string& value);
    void in(const std::string& column, const std::vector<std::string>& values);
    void is_number(const std::string& column, std::int64_t value);
    void begins_with(const std::string& column, const std::string& text);
    void compare(const std::string& condition, std::vector<std::variant<std::string, std::int64_t>> values);
    [[nodiscard]] std::string sql() const { return conditions_.empty() ? "" : " WHERE " + conditions_; }
    [[nodiscard]] bool empty() const { return conditions_.empty(); }
    void raw(const std::string& condition, std::vector<std::string> values);
    void bind(Query& query) const;

private:
    std::string conditions_;
    std::vector<std::variant<std::string, std::int64_t>> values_;
};

template <class E>
std::vector<std::string> texts_of(const std::vector<E>& values) {
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const E value : values) texts.emplace_back(to_text(value));
    return texts;
}

}  // namespace cicd::store
