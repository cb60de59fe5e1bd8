#include "daemon/runner/hidden.hpp"

#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spaces.hpp"
#include "daemon/runner/writable.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string_view>

namespace cicd::runner {
namespace {

namespace fs = std::filesystem;

unsigned owner_in_layer(unsigned id) { return first_inhabitant + (id < os::ids_of_space ? id : 65534); }

/// Users as they are, passwords that nobody can type. Group shadows have fewer fields.
std::string without_passwords(const char* names, const char* rest) {
    std::string text;
    std::ifstream file(names);
    for (std::string line; std::getline(file, line);)
        if (const auto colon = line.find(':'); colon != std::string::npos) text += line.substr(0, colon) + rest;
    return text;
}

class Hiding {
public:
    Hiding(std::string lower, fs::path upper) : lower_(std::move(lower)), upper_(std::move(upper)) {}

    Result<void> top() const {
        struct stat facts {};
        if (::lstat(lower_.c_str(), &facts) != 0) return os::last_error("cannot read " + lower_);
        return take_rights(upper_, facts);
    }

    Result<void> below(const std::string& inner, int depth = 0) const {
        const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir((lower_ + inner).c_str()), ::closedir);
        if (!folder || depth > 40) return {};
        while (const dirent* entry = ::readdir(folder.get())) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            CICD_CHECK(look(inner + "/" + std::string(name), depth));
        }
        return {};
    }

private:
    Result<void> look(const std::string& inner, int depth) const {
        struct stat facts {};
        if (::lstat((lower_ + inner).c_str(), &facts) != 0) return {};
        const bool is_folder = S_ISDIR(facts.st_mode);
        const bool is_open = is_folder ? (facts.st_mode & 0005) == 0005 : (facts.st_mode & 0004) != 0;
        if (is_folder && is_open) return below(inner, depth + 1);
        if (is_open || S_ISLNK(facts.st_mode)) return {};
        CICD_CHECK(make_parents(inner));
        return is_folder ? empty_folder(inner, facts) : empty_file(inner, facts);
    }

    /// With the rights that they have below, as a folder in the upper layer stands for both.
    Result<void> make_parents(const std::string& inner) const {
        for (std::size_t slash = inner.find('/', 1); slash != std::string::npos; slash = inner.find('/', slash + 1)) {
            const auto part = inner.substr(0, slash);
            struct stat facts {};
            if (::lstat((lower_ + part).c_str(), &facts) != 0) return os::last_error("cannot read " + lower_ + part);
            if (::mkdir((upper_.string() + part).c_str(), 0700) != 0) {
                if (errno == EEXIST) continue;
                return os::last_error("cannot hide " + lower_ + inner);
            }
            CICD_CHECK(take_rights(upper_.string() + part, facts));
        }
        return {};
    }

    Result<void> empty_folder(const std::string& inner, const struct stat& facts) const {
        const auto path = upper_.string() + inner;
        // Nothing of the lower one is seen below it (overlayfs' documentation), and a job cannot reach these attributes.
        if (::mkdir(path.c_str(), 0700) != 0 || ::setxattr(path.c_str(), "user.overlay.opaque", "y", 1, 0) != 0)
            return os::last_error("cannot hide " + lower_ + inner);
        return take_rights(path, facts);
    }

    Result<void> empty_file(const std::string& inner, const struct stat& facts) const {
        std::string text;
        const auto file = lower_ + inner;
        if (file == "/etc/shadow") text = without_passwords("/etc/passwd", ":*:19000:0:99999:7:::\n");
        if (file == "/etc/gshadow") text = without_passwords("/etc/group", ":*::\n");
        const auto path = upper_.string() + inner;
        {
            const os::Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
            if (!made || ::write(made.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
                return os::last_error("cannot hide " + file);
        }
        return take_rights(path, facts);
    }

    static Result<void> take_rights(const fs::path& path, const struct stat& facts) {
        if (::lchown(path.c_str(), owner_in_layer(facts.st_uid), owner_in_layer(facts.st_gid)) != 0 ||
            ::chmod(path.c_str(), facts.st_mode & 07777) != 0)
            return os::last_error("cannot give the job " + path.string());
        return {};
    }

    std::string lower_;
    fs::path upper_;
};

}  // namespace

Result<void> hide_private(const std::string& lower, const fs::path& upper, bool deep) {
    const Hiding hiding(lower, upper);
    CICD_CHECK(hiding.top());
    return deep ? hiding.below("") : Result<void>{};
}

}  // namespace cicd::runner
