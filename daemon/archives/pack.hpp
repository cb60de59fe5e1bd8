#pragma once

#include "common/base/result.hpp"
#include "daemon/objects/manifest.hpp"
#include "daemon/objects/object_store.hpp"

#include <memory>
#include <string>

/// Archives of what is kept that are made while they are sent: compressed, so their length is not known before.
namespace cicd::archives {

enum class Format { zip, tar_zst };

class Packing {
public:
    static Result<Packing> begin(const objects::ObjectStore& store, objects::Manifest manifest, Format format);
    ~Packing();
    Packing(Packing&&) noexcept;
    /// The next bytes; none: the end.
    Result<std::string> next();

private:
    struct State;
    explicit Packing(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cicd::archives
