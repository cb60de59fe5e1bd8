#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace cicd::objects {

/// What has come of an upload that may break off and go on later: a file in `<state>/uploads`, named by a digest of what the
/// upload is. It counts in the boot that it was begun in: after a power cut its data may not be there.
class PartialUpload {
public:
    /// Of `what`, which is made where nothing of it has come. Fails (conflict, ARTIFACT_008) while somebody else sends it.
    static Result<PartialUpload> open(const std::filesystem::path& state, const std::string& what);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] int fd() const { return file_.get(); }
    /// What came from `offset` on is forgotten. Fails (conflict, ARTIFACT_008) where that much has not come.
    Result<void> go_on_at(std::uint64_t offset);
    Result<void> add(std::string_view bytes);
    /// It has become something else.
    void remove();

private:
    PartialUpload(std::filesystem::path path, os::Fd file, std::uint64_t size) : path_(std::move(path)), file_(std::move(file)), size_(size) {}
    std::filesystem::path path_;
    os::Fd file_;
    std::uint64_t size_;
};

/// Removes those to which nothing was added for a day.
void sweep_partial_uploads(const std::filesystem::path& state, Timestamp now);

}  // namespace cicd::objects
