#pragma once

#include "daemon/objects/caches.hpp"
#include "daemon/objects/collect.hpp"
#include "daemon/objects/download.hpp"
#include "daemon/objects/tree.hpp"
#include "daemon/os/files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// The words that tests of the object store are written in: a state directory, a workspace, and what passes between them.
namespace cicd::objects {

namespace fs = std::filesystem;

inline std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline std::string noise(std::size_t size, unsigned seed = 1) {
    std::string text(size, '\0');
    std::uint64_t state = seed;
    for (char& c : text) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        c = static_cast<char>(state >> 56);
    }
    return text;
}

struct Shop {
    Shop() {
        char name[] = "/tmp/cicd-objects-XXXXXX";
        root = ::mkdtemp(name);
        fs::create_directories(workspace());
    }
    ~Shop() { (void)os::remove_all(root); }
    Shop(const Shop&) = delete;
    Shop& operator=(const Shop&) = delete;

    [[nodiscard]] fs::path workspace() const { return root / "workspace"; }
    [[nodiscard]] ObjectStore store() const { return ObjectStore(root / "objects"); }
    void write(const std::string& path, const std::string& text, mode_t mode = 0644) const {
        fs::create_directories((workspace() / path).parent_path());
        std::ofstream(workspace() / path, std::ios::binary) << text;
        ::chmod((workspace() / path).c_str(), mode);
    }
    [[nodiscard]] Result<SavedTree> save(const Selection& selection = {{"**"}, {}}, const SaveOptions& options = {}) const {
        const os::Fd folder(::open(workspace().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        return save_tree(store(), folder.get(), selection, options);
    }
    [[nodiscard]] Result<void> restore(const std::string& digest, const fs::path& to) const {
        fs::create_directories(to);
        const os::Fd folder(::open(to.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        CICD_TRY(const auto manifest, read_manifest(store(), digest));
        return restore_tree(store(), manifest, folder.get());
    }
    [[nodiscard]] std::vector<fs::path> objects() const {
        std::vector<fs::path> found;
        if (fs::exists(root / "objects"))
            for (const auto& entry : fs::recursive_directory_iterator(root / "objects"))
                if (entry.is_regular_file()) found.push_back(entry.path());
        return found;
    }

    fs::path root;
};

}  // namespace cicd::objects
