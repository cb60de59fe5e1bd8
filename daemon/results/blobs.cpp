#include "daemon/results/blobs.hpp"

#include <algorithm>

namespace cicd::results {
namespace {

constexpr std::string_view path_of_blobs = "/cicd/blobs/";
constexpr std::size_t largest_list = 8 << 20;
constexpr std::size_t most_blobs = 10'000;

Response done(const Result<void>& outcome) {
    if (!outcome) return refusal(outcome.error());
    return {.status = 201, .headers = {{"ETag", "\"1\""}, {"x-ms-request-server-encrypted", "false"}}};
}

}  // namespace

std::string Blobs::add(Known known) {
    const std::lock_guard lock(mutex_);
    auto word = random_word(32);
    known_.emplace(word, std::move(known));
    // A container and a blob of an account, as clients of blob stores take URLs apart.
    return url_ + std::string(path_of_blobs) + "blob?sig=" + word;
}

Result<Blobs::Offered> Blobs::offer_upload() {
    {
        const std::lock_guard lock(mutex_);
        if (known_.size() >= most_blobs) return Error{ErrorKind::blocked, "ARTIFACT_007", "the job has more than 10,000 uploads and downloads", "", {}};
    }
    CICD_TRY(auto file, nameless_file(store_));
    auto upload = std::make_shared<Upload>(store_, std::move(file), together_);
    auto url = add({upload, std::nullopt});
    return Offered{std::move(upload), std::move(url)};
}

std::string Blobs::offer_download(FilePart part) { return add({nullptr, std::move(part)}); }

void Blobs::forget(const std::shared_ptr<Upload>& upload) {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [&](const auto& entry) { return entry.second.upload == upload; });
}

Response Blobs::answer(Request& request) {
    Known known;
    {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(request.query_value("sig"));
        if (found == known_.end() || !request.path.starts_with(path_of_blobs)) return refusal(403, "permission_denied", "the signature is not known");
        known = found->second;
    }
    if (known.upload && request.method == "PUT") return put(*known.upload, request);
    if (known.download && (request.method == "GET" || request.method == "HEAD")) return get(*known.download, request);
    return refusal(405, "bad_route", "the URL is not for that");
}

Response Blobs::put(Upload& upload, Request& request) {
    const auto what = request.query_value("comp");
    if (what == "block") return done(upload.put_block(request.query_value("blockid"), *request.body));
    if (what.empty()) return done(upload.put_whole(*request.body));
    if (what != "blocklist") return refusal(400, "bad_route", "comp=" + what + " is not known here");
    const auto text = whole(*request.body, largest_list);
    const auto ids = text ? read_block_list(*text) : Result<std::vector<std::string>>(text.error());
    return done(ids ? upload.order(*ids) : Result<void>(ids.error()));
}

Response Blobs::get(const FilePart& part, const Request& request) {
    Response response{.content_type = "application/octet-stream",
                      .headers = {{"Accept-Ranges", "bytes"}, {"ETag", "\"1\""}, {"x-ms-blob-type", "BlockBlob"}},
                      .file = part};
    if (request.range.empty()) return response;
    const auto range = read_range(request.range, part.size);
    if (!range) {
        auto refused = refusal(416, "out_of_range", "the range is not within the " + std::to_string(part.size) + " bytes");
        refused.headers.emplace_back("Content-Range", "bytes */" + std::to_string(part.size));
        return refused;
    }
    response.status = 206;
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->first) + "-" + std::to_string(range->second) + "/" +
                                                       std::to_string(part.size));
    response.file->begin = part.begin + range->first;
    response.file->size = range->second - range->first + 1;
    return response;
}

}  // namespace cicd::results
