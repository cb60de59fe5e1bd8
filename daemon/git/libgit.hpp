#pragma once

#include "common/base/result.hpp"

#include <git2.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

/// libgit2's handles as owners, and its errors as ours. Private to this folder.
namespace cicd::git {

struct Free {
    void operator()(git_repository* p) const { git_repository_free(p); }
    void operator()(git_odb* p) const { git_odb_free(p); }
    void operator()(git_odb_object* p) const { git_odb_object_free(p); }
    void operator()(git_object* p) const { git_object_free(p); }
    void operator()(git_commit* p) const { git_commit_free(p); }
    void operator()(git_tree* p) const { git_tree_free(p); }
    void operator()(git_tree_entry* p) const { git_tree_entry_free(p); }
    void operator()(git_blob* p) const { git_blob_free(p); }
    void operator()(git_index* p) const { git_index_free(p); }
    void operator()(git_diff* p) const { git_diff_free(p); }
    void operator()(git_reference* p) const { git_reference_free(p); }
    void operator()(git_reference_iterator* p) const { git_reference_iterator_free(p); }
    void operator()(git_remote* p) const { git_remote_free(p); }
    void operator()(git_config* p) const { git_config_free(p); }
    void operator()(git_filter_list* p) const { git_filter_list_free(p); }
};

/// The owner of a handle. `out(handle)` is for libgit2's `T**` parameters; it is filled by the call itself, so the same
/// expression may go on with it.
template <class T>
class Owned {
public:
    Owned() = default;
    ~Owned() { reset(); }
    Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Owned& operator=(Owned&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    [[nodiscard]] T* get() const { return handle_; }
    explicit operator bool() const { return handle_ != nullptr; }
    void reset() {
        if (handle_) Free{}(std::exchange(handle_, nullptr));
    }
    T** fill() {
        reset();
        return &handle_;
    }

private:
    T* handle_ = nullptr;
};

template <class T>
T** out(Owned<T>& handle) {
    return handle.fill();
}

/// A git_buf that frees itself.
struct Buffer : git_buf {
    Buffer() : git_buf{} {}
    ~Buffer() { git_buf_dispose(this); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    [[nodiscard]] std::string_view view() const { return {ptr ? ptr : "", size}; }
};

/// Sets libgit2 up once per process; every entry point calls it.
void initialize();
/// Whom servers of https have to be certified by, where the environment names a file; empty: the system says.
std::string certificates_file();
/// What libgit2 says went wrong in this thread.
std::string last_message();
Error failure(const std::string& doing, const std::string& hint = {});
std::string to_hex(const git_oid& id);

struct OidHash {
    std::size_t operator()(const git_oid& id) const noexcept {
        std::size_t hash = 0;
        __builtin_memcpy(&hash, id.id, sizeof hash);
        return hash;
    }
};
struct OidEqual {
    bool operator()(const git_oid& a, const git_oid& b) const noexcept { return git_oid_equal(&a, &b) != 0; }
};

}  // namespace cicd::git
