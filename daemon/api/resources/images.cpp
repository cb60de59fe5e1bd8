#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/images/store.hpp"

// Images that lie unpacked on the daemon's machine.
namespace cicd::api {
namespace {

Error no_images() {
    return unavailable(std::string(contract::code::not_available_yet), "this daemon keeps no images");
}

}  // namespace

async::Task<Answer> list_images(Services& services, Request) {
    if (!services.images) co_return no_images();
    const auto work = [&services]() -> Result<contract::ImageList> { return contract::ImageList{services.images->list()}; };
    const auto images = co_await async::offload(services.pool, work);
    co_return answer(images);
}

async::Task<Answer> import_image(Services& services, Request request) {
    const auto asked = read_body<contract::ImportImage>(request);
    if (!asked) co_return asked.error();
    if (!services.images) co_return no_images();
    if (!asked->path.starts_with('/') || asked->name.empty())
        co_return invalid(std::string(contract::code::bad_request),
                          asked->name.empty() ? std::string("'name' is empty") : "'path' is not absolute: '" + asked->path + "'",
                          "name a layout's folder or an archive on the daemon's machine, and what to call it");
    const auto work = [&services, wanted = *asked] { return services.images->import(wanted); };
    const auto image = co_await async::offload(services.pool, work);
    co_return answer(image, 201);
}

async::Task<Answer> get_image(Services& services, Request request) {
    if (!services.images) co_return no_images();
    const auto work = [&services, name = request.parameter("image")] { return services.images->show(name); };
    const auto image = co_await async::offload(services.pool, work);
    co_return answer(image);
}

async::Task<Answer> delete_image(Services& services, Request request) {
    if (!services.images) co_return no_images();
    const auto work = [&services, name = request.parameter("image")] { return services.images->remove(name); };
    const auto removed = co_await async::offload(services.pool, work);
    if (!removed) co_return removed.error();
    Response response;
    response.status = 204;
    response.content_type.clear();
    co_return response;
}

}  // namespace cicd::api
