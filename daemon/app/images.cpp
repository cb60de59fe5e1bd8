#include "daemon/app/images.hpp"

#include "daemon/engines/finding.hpp"
#include "daemon/engines/images.hpp"
#include "daemon/images/registry.hpp"

#include <map>
#include <mutex>

namespace cicd::app {
namespace {

using images::Reference;

class Pins {
public:
    Pins(std::shared_ptr<images::Store> store, std::string engine, bool only_look)
        : store_(std::move(store)), engine_(std::move(engine)), only_look_(only_look) {}

    Result<std::string> pin(git::Sources& sources, const model::Source& source, const model::Image& image, model::ExecutorKind executor) {
        CICD_TRY(auto reference, images::parse_reference(image.name));
        if (reference.kind != Reference::Kind::name) return of_repository(sources, source, reference);
        if (executor == model::ExecutorKind::container) return of_engine(std::move(reference), image);
        const auto here = store_->find(reference);
        const bool ask = image.pull == "always" && reference.digest.empty();
        if (here && !ask) {
            reference.digest = *here;
            return reference.text();
        }
        if (image.pull == "never" || !images::can_pull()) return images::not_here(reference);
        if (only_look_ || !reference.digest.empty()) return reference.text();
        CICD_TRY(reference.digest, images::ask_registry(reference));
        return reference.text();
    }

private:
    /// What the engine has under the name, else what was imported here, else what the registry says. Where nobody can ask that
    /// without pulling (Podman, and no skopeo), the first job's pull decides.
    Result<std::string> of_engine(Reference reference, const model::Image& image) {
        if (only_look_ || !reference.digest.empty()) return reference.text();
        CICD_TRY(auto engine, engines::find_engine(engine_, engines::MayStart::yes));
        engine.answer_within(std::chrono::seconds(60));
        if (image.pull != "always") {
            CICD_TRY(const auto known, engines::find_image(engine, reference.name));
            if (known) reference.digest = known->digest;
            else if (const auto here = store_->find(reference)) reference.digest = *here;
            if (!reference.digest.empty()) return reference.text();
            if (image.pull == "never")
                return unavailable("IMAGE_001", "the image " + reference.text() + " is neither known to " + engine.name() + " nor was it imported",
                                   "bring it: cicdctl image import, or let it be pulled: image: {pull: missing}");
        }
        // A registry that wants a login is asked by the job, which has it.
        if (!image.credentials.empty() || !image.options.login.empty()) return reference.text();
        CICD_TRY(const auto told, engines::ask_registry(engine, reference.name));
        if (told) {
            reference.digest = *told;
        } else if (images::can_pull()) {
            CICD_TRY(reference.digest, images::ask_registry(reference));
        }
        return reference.text();
    }

    /// One tree has one image at a path, so it is unpacked for the first run of each tree only.
    Result<std::string> of_repository(git::Sources& sources, const model::Source& source, Reference reference) {
        if (only_look_) return reference.text();
        const std::lock_guard lock(mutex_);
        auto& known = known_[source.tree + " " + reference.text()];
        if (known.empty() || !store_->show(known)) {
            CICD_TRY(const auto image, store_->import_from_tree(reference, [&](const std::filesystem::path& folder) -> Result<void> {
                CICD_CHECK(sources.checkout(source, folder));
                return {};
            }));
            if (!reference.digest.empty() && reference.digest != image.digest)
                return invalid("IMAGE_003", "the image " + reference.text() + " is " + image.digest + " at this revision");
            known = image.digest;
        }
        reference.digest = known;
        return reference.text();
    }

    std::shared_ptr<images::Store> store_;
    std::string engine_;
    bool only_look_;
    std::mutex mutex_;
    std::map<std::string, std::string> known_;
};

}  // namespace

std::function<std::optional<std::string>()> ask_for_engine(std::string setting) {
    return [setting = std::move(setting)]() -> std::optional<std::string> {
        const auto here = engines::what_is_here(setting);
        if (here) return std::nullopt;
        return here.error().message;
    };
}

planner::PinImage pin_images(std::shared_ptr<images::Store> store, std::string engine, bool only_look) {
    auto pins = std::make_shared<Pins>(std::move(store), std::move(engine), only_look);
    return [pins](git::Sources& sources, const model::Source& source, const model::Image& image, model::ExecutorKind executor) {
        return pins->pin(sources, source, image, executor);
    };
}

}  // namespace cicd::app
