#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/results/http.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// What is on its way in and out, in files without names: whenever this process ends, nothing is left of them.
namespace cicd::results {

constexpr std::uint64_t largest_blob = std::uint64_t{10} << 30;
constexpr std::uint64_t largest_together = std::uint64_t{20} << 30;  ///< of one job, at the same time

/// On the file system of the state directory.
Result<os::Fd> nameless_file(const std::filesystem::path& store);

/// One blob that comes: at once, in blocks that are put in order at the end, or in pieces that know their places.
class Upload {
public:
    Upload(std::filesystem::path store, os::Fd file, std::atomic<std::uint64_t>& together)
        : store_(std::move(store)), file_(std::move(file)), together_(together) {}
    ~Upload() { together_ -= taken_; }
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;

    Result<void> put_whole(Body& body);
    Result<void> put_block(const std::string& id, Body& body);
    Result<void> put_piece(std::uint64_t first, std::uint64_t last, Body& body);
    /// The blocks in this order are the blob.
    Result<void> order(const std::vector<std::string>& ids);
    /// The pieces are the blob, if they have no holes between them and end there.
    Result<void> close(std::uint64_t size);

    /// Of the blob, when it is complete.
    [[nodiscard]] std::optional<std::uint64_t> size() const;
    [[nodiscard]] int fd() const { return file_.get(); }

private:
    struct Block {
        std::uint64_t begin = 0, size = 0;
    };
    Result<std::uint64_t> take(std::uint64_t size);
    Result<void> receive(std::uint64_t begin, std::uint64_t size, Body& body);

    std::filesystem::path store_;
    os::Fd file_;
    std::atomic<std::uint64_t>& together_;
    mutable std::mutex mutex_;
    std::uint64_t taken_ = 0;
    int writers_ = 0;  ///< the blob is not complete while anybody writes: it may become an object, which never changes
    std::map<std::string, Block> blocks_;
    std::map<std::uint64_t, std::uint64_t> pieces_;  ///< begin → size
    std::optional<std::uint64_t> size_;
};

/// `<BlockList><Latest>…</Latest>…</BlockList>`: the ids.
Result<std::vector<std::string>> read_block_list(std::string_view xml);

/// The blobs that have a URL. Whoever knows it may use it: it holds a word that nobody can guess.
class Blobs {
public:
    Blobs(std::filesystem::path store, std::string url) : store_(std::move(store)), url_(std::move(url)) {}

    struct Offered {
        std::shared_ptr<Upload> upload;
        std::string url;
    };
    Result<Offered> offer_upload();
    std::string offer_download(FilePart part);
    void forget(const std::shared_ptr<Upload>& upload);
    Response answer(Request& request);

private:
    struct Known {
        std::shared_ptr<Upload> upload;
        std::optional<FilePart> download;
    };
    static Response put(Upload& upload, Request& request);
    static Response get(const FilePart& part, const Request& request);
    std::string add(Known known);

    std::filesystem::path store_;
    std::string url_;
    std::atomic<std::uint64_t> together_ = 0;
    std::mutex mutex_;
    std::map<std::string, Known> known_;  ///< by that word
};

}  // namespace cicd::results
