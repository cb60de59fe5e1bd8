#include "cli/packing.hpp"

#include "common/base/tar.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

namespace cicd::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t at_once = 512 << 10;

Error unreadable(const fs::path& path) {
    const int why = errno;
    const auto message = "cannot read " + path.string() + ": " + std::strerror(why);
    return why == ENOENT ? not_found("CLI_002", message) : invalid("CLI_002", message);
}

/// The name of what was typed inside of the archive.
std::string name_of(const std::string& typed) {
    auto path = fs::path(typed).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    if (path == ".") return {};
    if (path.is_absolute() || path.begin()->string() == "..") path = fs::absolute(path).lexically_normal().filename();
    return path.string();
}

Result<std::string> link_target(const fs::path& path) {
    std::error_code failure;
    const auto target = fs::read_symlink(path, failure);
    if (failure) return invalid("CLI_002", "cannot read " + path.string() + ": " + failure.message());
    return target.string();
}

}  // namespace

Result<Packing> Packing::file(const fs::path& path) {
    Packing packing;
    packing.as_it_is_ = true;
    struct stat facts {};
    if (path != "-") {
        if (::stat(path.c_str(), &facts) != 0) return unreadable(path);
        if (S_ISREG(facts.st_mode)) packing.length_ = static_cast<std::uint64_t>(facts.st_size);
    }
    packing.parts_.push_back({{}, path, packing.length_.value_or(UINT64_MAX)});
    CICD_CHECK(packing.open(packing.parts_.front()));
    return packing;
}

Result<Packing> Packing::archive(const std::vector<std::string>& paths) {
    Packing packing;
    for (const auto& typed : paths) CICD_CHECK(packing.add(fs::path(typed), name_of(typed)));
    packing.parts_.push_back({std::string(tar_end, '\0'), {}, 0});
    std::uint64_t length = 0;
    for (const auto& part : packing.parts_) length += part.before.size() + tar_padded(part.size);
    packing.length_ = length;
    return packing;
}

Result<void> Packing::add(const fs::path& path, const std::string& name) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return unreadable(path);
    TarEntry entry;
    entry.path = name;
    entry.mode = facts.st_mode & 0777;
    if (S_ISREG(facts.st_mode)) {
        entry.size = static_cast<std::uint64_t>(facts.st_size);
        parts_.push_back({tar_header(entry), entry.size > 0 ? path : fs::path(), entry.size});
        return {};
    }
    if (S_ISLNK(facts.st_mode)) {
        entry.kind = TarEntry::Kind::link;
        CICD_TRY(entry.target, link_target(path));
        parts_.push_back({tar_header(entry), {}, 0});
        return {};
    }
    if (!S_ISDIR(facts.st_mode)) return invalid("CLI_002", path.string() + " is neither file, folder nor link", "leave it out");
    entry.kind = TarEntry::Kind::folder;
    if (!name.empty()) parts_.push_back({tar_header(entry), {}, 0});
    std::error_code failure;
    std::set<fs::path> below;
    for (fs::directory_iterator it(path, failure), end; !failure && it != end; it.increment(failure)) below.insert(it->path());
    if (failure) return invalid("CLI_002", "cannot read " + path.string() + ": " + failure.message());
    for (const auto& one : below) CICD_CHECK(add(one, (name.empty() ? "" : name + "/") + one.filename().string()));
    return {};
}

Result<void> Packing::open(const Part& part) {
    const bool is_stdin = part.content == "-" && as_it_is_;
    const int fd = is_stdin ? STDIN_FILENO : ::open(part.content.c_str(), O_RDONLY | O_CLOEXEC | (as_it_is_ ? 0 : O_NOFOLLOW | O_NONBLOCK));
    if (fd < 0) return unreadable(part.content);
    file_ = std::shared_ptr<int>(new int(fd), [is_stdin](const int* one) {
        if (!is_stdin) ::close(*one);
        delete one;
    });
    left_ = part.size;
    padding_ = as_it_is_ ? 0 : tar_padded(part.size) - part.size;
    return {};
}

Result<std::string> Packing::next() {
    std::string out;
    while (out.size() < at_once) {
        if (file_ && left_ > 0) {
            const auto begin = out.size();
            out.resize(begin + std::min<std::uint64_t>(left_, at_once - begin));
            const ssize_t n = ::read(*file_, out.data() + begin, out.size() - begin);
            if (n < 0 && errno != EINTR) return unreadable(parts_[part_].content);
            out.resize(begin + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
            if (n == 0 && length_)
                return invalid("CLI_002", parts_[part_].content.string() + " became shorter while it was read", "try again");
            left_ = n == 0 ? 0 : left_ - static_cast<std::size_t>(std::max<ssize_t>(n, 0));
            continue;
        }
        if (file_) {
            out.append(padding_, '\0');
            file_.reset();
            ++part_;
            continue;
        }
        if (part_ == parts_.size() || as_it_is_) break;
        const auto& part = parts_[part_];
        out += part.before;
        if (part.content.empty()) ++part_;
        else CICD_CHECK(open(part));
    }
    return out;
}

}  // namespace cicd::cli
