#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
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

Result<contract::Image> Client::show_image(const std::string& name) {
    return decoded<contract::Image>(call("GET", path_of(route::show_image, {name})));
}

Result<void> Client::remove_image(const std::string& name) {
    CICD_CHECK(call("DELETE", path_of(route::remove_image, {name})));
    return {};
}

}  // namespace cicd::client
