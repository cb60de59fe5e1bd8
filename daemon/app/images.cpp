#include "daemon/app/images.hpp"

#include "daemon/images/registry.hpp"

#include <map>
#include <mutex>

namespace cicd::app {
namespace {

using images::Reference;

class Pins {
public:
    Pins(std::shared_ptr<images::Store> store, bool only_look) : store_(std::move(store)), only_look_(only_look) {}

    Result<std::string> pin(git::Sources& sources, const model::Source& source, const model::Image& image) {
        CICD_TRY(auto reference, images::parse_reference(image.name));
        if (reference.kind != Reference::Kind::name) return of_repository(sources, source, reference);
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
    bool only_look_;
    std::mutex mutex_;
    std::map<std::string, std::string> known_;
};

}  // namespace

planner::PinImage pin_images(std::shared_ptr<images::Store> store, bool only_look) {
    auto pins = std::make_shared<Pins>(std::move(store), only_look);
    return [pins](git::Sources& sources, const model::Source& source, const model::Image& image) {
        return pins->pin(sources, source, image);
    };
}

}  // namespace cicd::app
