#include "common/codec/codecs.hpp"
#include "common/codec/json.hpp"
#include "daemon/archives/unpack.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

namespace {

using namespace cicd;

[[maybe_unused]] constexpr rlim_t most_memory = rlim_t{2} << 30;

Value told(const Result<objects::SavedTree>& saved) {
    if (!saved) return codec::encode(saved.error());
    return Object{{"digest", saved->digest}, {"size", static_cast<double>(saved->size)}, {"files", static_cast<double>(saved->files)}};
}

}  // namespace

/// `cicd-unpack OBJECTS BYTES`: unpacks the archive on standard input into the object store and says on standard output
/// what became of it. A process of its own: what an archive made to do harm can reach is no daemon.
int main(int count, char** arguments) {
    archives::UnpackLimits limits;
    if (count == 3) {
        const std::string_view bytes = arguments[2];
        std::from_chars(bytes.data(), bytes.data() + bytes.size(), limits.bytes);
    }
    if (count != 3) {
        std::fputs("usage: cicd-unpack OBJECTS BYTES\nUnpacks an archive that was uploaded; cicdd starts it.\n", stderr);
        return 2;
    }
    try {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which reserve terabytes of addresses
        const rlimit memory{most_memory, most_memory};
        (void)::setrlimit(RLIMIT_AS, &memory);
#endif
        const auto saved = archives::unpack(objects::ObjectStore(arguments[1]), STDIN_FILENO, limits);
        std::puts(codec::to_json(told(saved)).c_str());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-unpack: %s\n", error.what());
        return 3;
    }
}
