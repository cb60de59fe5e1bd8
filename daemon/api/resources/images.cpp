#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/json.hpp"
#include "daemon/images/debian.hpp"
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

namespace {

std::string line_of(const contract::BuildProgress& progress) { return codec::to_json(codec::encode(progress)) + "\n"; }

/// Line by line, so that it is seen at once. Who no longer listens does not want it any more.
async::Task<void> send_build(Services& services, std::shared_ptr<images::DebianBuild> build, BodyStream& out) {
    for (;;) {
        const auto wait = [build] { return build->go_on(); };
        const auto said = co_await async::offload(services.pool, wait);
        if (!said) break;
        std::string text;
        for (const auto& line : *said) text += line_of({.line = line});
        // An empty line now and then, to notice that nobody is there.
        if (text.empty()) text = line_of({});
        if (!co_await out.send(std::move(text))) co_return;
    }
    const auto end = [build] { return build->finish(); };
    const auto image = co_await async::offload(services.pool, end);
    contract::BuildProgress last;
    if (image) last.image = codec::encode(*image);
    else last.error = codec::encode(image.error())["error"];
    const auto text = line_of(last);
    (void)co_await out.send(text);
}

}  // namespace

async::Task<Answer> build_image(Services& services, Request request) {
    const auto asked = read_body<contract::BuildImage>(request);
    if (!asked) co_return asked.error();
    if (!services.images) co_return no_images();
    const auto folder = std::filesystem::path(services.runs.status().state_directory) / "images";
    const auto begin = [&services, folder, wanted = *asked] { return images::DebianBuild::start(*services.images, folder, wanted); };
    auto started = co_await async::offload(services.pool, begin);
    if (!started) co_return started.error();
    std::shared_ptr<images::DebianBuild> build = std::move(*started);
    Response response;
    response.content_type = "application/x-ndjson";
    response.stream = [&services, build](BodyStream& out) { return send_build(services, build, out); };
    co_return response;
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
