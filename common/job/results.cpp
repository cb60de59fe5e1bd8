#include "common/job/results.hpp"

#include "common/codec/codecs.hpp"
#include "common/codec/pipeline_fields.hpp"
#include "common/codec/run_fields.hpp"
#include "common/job/keeping_fields.hpp"

#include <unistd.h>

namespace cicd::codec {

template <>
struct Fields<job::ResultsRequest> {
    using T = job::ResultsRequest;
    static constexpr auto list = std::tuple{required("store", &T::store), required("token", &T::token), required("url", &T::url),
                                            required("places", &T::places), omitted("needed", &T::needed), omitted("artifacts", &T::artifacts)};
};

template <>
struct Fields<job::ResultsChange> {
    using T = job::ResultsChange;
    static constexpr auto list = std::tuple{omitted("kept", &T::kept), omitted("removed", &T::removed)};
};

}  // namespace cicd::codec

namespace cicd::job {

std::string to_text(const ResultsRequest& request) { return codec::to_json(codec::write(request)); }

Result<ResultsRequest> read_results_request(std::string_view text) {
    CICD_TRY(const auto value, codec::parse_json(text));
    return codec::read_whole<ResultsRequest>(value);
}

std::string to_line(const ResultsChange& change) { return codec::to_json(codec::write(change)) + "\n"; }

std::vector<ResultsChange> read_changes(int file, std::uint64_t& offset) {
    std::string text;
    char buffer[16 << 10];
    for (ssize_t n = 0; (n = ::pread(file, buffer, sizeof buffer, static_cast<off_t>(offset + text.size()))) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    std::vector<ResultsChange> changes;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
        const auto value = codec::parse_json(std::string_view(text).substr(0, end));
        auto change = value ? codec::read_whole<ResultsChange>(*value) : Result<ResultsChange>(value.error());
        if (change) changes.push_back(std::move(*change));
        offset += end + 1;
        text.erase(0, end + 1);
    }
    return changes;
}

}  // namespace cicd::job
