#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/json.hpp"
#include "common/contract/routes.hpp"

// Images on the daemon's machine.
namespace cicd::client {

namespace route = contract::route;
using contract::path_of;

Result<std::vector<contract::Image>> Client::list_images() {
    CICD_TRY(auto list, decoded<contract::ImageList>(call("GET", path_of(route::list_images))));
    return std::move(list.data);
}

Result<contract::Image> Client::import_image(const contract::ImportImage& request) {
    return decoded<contract::Image>(call("POST", path_of(route::import_image), codec::encode(request)));
}

Result<contract::Image> Client::build_image(const contract::BuildImage& request,
                                            const std::function<void(const std::string&)>& tell) {
    std::string begun, refusal;
    Result<contract::Image> outcome = unavailable("CICD_069", "the daemon went away while the image was made");
    const auto take = [&](const std::string& line) -> Result<void> {
        CICD_TRY(const auto value, codec::parse_json(line));
        CICD_TRY(const auto progress, codec::decode<contract::BuildProgress>(value));
        if (!progress.line.empty()) tell(progress.line);
        if (!progress.error.is_null()) {
            CICD_TRY(outcome, codec::decode<Error>(Object{{"error", progress.error}}));
        }
        if (!progress.image.is_null()) outcome = codec::decode<contract::Image>(progress.image);
        return {};
    };
    const auto on_piece = [&](int status, std::string_view piece) {
        if (status != 200) return refusal += piece, true;
        begun += piece;
        for (auto end = begun.find('\n'); end != std::string::npos; end = begun.find('\n')) {
            if (const auto taken = take(begun.substr(0, end)); !taken) return outcome = taken.error(), false;
            begun.erase(0, end + 1);
        }
        return true;
    };
    CICD_TRY(auto answer, raw_stream("POST", path_of(route::build_image), codec::to_json(codec::encode(request)),
                                           {{"Content-Type", "application/json"}}, on_piece));
    answer.body = std::move(refusal);
    if (answer.status != 200) return as_error(answer);
    return outcome;
}

Result<contract::Image> Client::show_image(const std::string& name) {
    return decoded<contract::Image>(call("GET", path_of(route::show_image, {name})));
}

Result<void> Client::remove_image(const std::string& name) {
    CICD_CHECK(call("DELETE", path_of(route::remove_image, {name})));
    return {};
}

}  // namespace cicd::client
