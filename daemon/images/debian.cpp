#include "daemon/images/debian.hpp"

#include "common/base/text.hpp"
#include "daemon/images/reference.hpp"
#include "daemon/os/files.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace cicd::images {
namespace {

namespace fs = std::filesystem;

constexpr const char* local_mirrors = "/usr/share/mmdebstrap/hooks/file-mirror-automount";

std::string contents(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// Where this machine's apt has its packages from: file and text.
std::vector<std::pair<std::string, std::string>> own_sources() {
    std::vector<fs::path> files{"/etc/apt/sources.list"};
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", ignored)) files.push_back(entry.path());
    std::sort(files.begin() + 1, files.end());
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& file : files)
        if (const auto kind = file.extension(); kind == ".list" || kind == ".sources") found.emplace_back(file.string(), contents(file));
    return found;
}

bool is_plain(const std::string& text, std::string_view more) {
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
    });
}

Result<void> check(const contract::BuildImage& wanted) {
    CICD_TRY(const auto reference, parse_reference(wanted.name));
    if (reference.kind != Reference::Kind::name || !reference.digest.empty())
        return invalid("IMAGE_002", "'" + wanted.name + "' is no name for an image", "such as base or base:1");
    for (const auto& package : wanted.packages)
        if (!is_plain(package, "+-.:=~")) return invalid("IMAGE_007", "'" + to_valid_utf8(package) + "' is no package's name");
    for (const auto* text : {&wanted.suite, &wanted.variant})
        if (!text->empty() && !is_plain(*text, "-._/")) return invalid("IMAGE_007", "'" + to_valid_utf8(*text) + "' is no suite or variant");
    if (wanted.mirror.find('\n') != std::string::npos || wanted.mirror.starts_with('-'))
        return invalid("IMAGE_007", "the mirror is no address", "such as https://HOST/debian, file:/PATH, or a line of a sources.list");
    return {};
}

}  // namespace

std::string own_suite(const std::string& os_release) {
    for (const auto& line : split(os_release, '\n'))
        if (line.starts_with("VERSION_CODENAME=")) return std::string(trim(line.substr(line.find('=') + 1)));
    return {};
}

std::vector<std::string> mirror_arguments(const contract::BuildImage& wanted, const std::string& suite,
                                          const std::vector<std::pair<std::string, std::string>>& sources) {
    if (!wanted.mirror.empty()) {
        if (wanted.mirror.starts_with("deb ")) return {wanted.mirror};
        return {"deb " + std::string(wanted.trusted ? "[trusted=yes] " : "") + wanted.mirror + " " + suite + " main"};
    }
    // What is meant for another suite, or comes from elsewhere than Debian, would not fit.
    std::vector<std::string> files;
    for (const auto& [file, text] : sources)
        if (text.find(suite) != std::string::npos && text.find("debian") != std::string::npos) files.push_back(file);
    return files;
}

Result<std::unique_ptr<DebianBuild>> DebianBuild::start(Store& store, const fs::path& folder, contract::BuildImage wanted) {
    CICD_CHECK(check(wanted));
    const auto mmdebstrap = find_program("mmdebstrap");
    if (mmdebstrap.empty())
        return unavailable("IMAGE_007", "mmdebstrap, which makes roots of Debian's packages, is not installed",
                           "sudo apt-get install mmdebstrap");
    if (wanted.suite.empty()) wanted.suite = own_suite(contents("/etc/os-release"));
    if (wanted.suite.empty()) return invalid("IMAGE_007", "this machine does not say which suite it is of", "name one: --suite bookworm");
    std::unique_ptr<DebianBuild> build(new DebianBuild(store, std::move(wanted)));
    std::error_code failure;
    fs::create_directories(folder, failure);
    CICD_TRY(build->held_, os::make_held_directory(folder, ".new-"));
    const auto tell = [made = build.get()](std::string_view line) {
        if (!trim(line).empty()) made->said_.push_back(to_valid_utf8(trim(line)));
    };
    CICD_TRY(build->program_, RunningProgram::start(build->command(mmdebstrap), {.tell_out = tell, .tell_err = tell}));
    return build;
}

DebianBuild::~DebianBuild() {
    program_.reset();
    if (!held_.path.empty()) (void)os::remove_all(held_.path);
}

std::vector<std::string> DebianBuild::command(const std::string& mmdebstrap) const {
    std::vector<std::string> words{mmdebstrap, "--format=tar", "--variant=" + (wanted_.variant.empty() ? "minbase" : wanted_.variant)};
    if (!wanted_.packages.empty()) words.push_back("--include=" + join(wanted_.packages, ","));
    if (wanted_.mirror.find("file:") != std::string::npos || wanted_.mirror.find("copy:") != std::string::npos)
        if (fs::exists(local_mirrors)) words.push_back(std::string("--hook-dir=") + local_mirrors);
    words.insert(words.end(), {wanted_.suite, (held_.path / "root.tar").string()});
    const auto mirrors = mirror_arguments(wanted_, wanted_.suite, own_sources());
    words.insert(words.end(), mirrors.begin(), mirrors.end());
    return words;
}

std::optional<std::vector<std::string>> DebianBuild::go_on() {
    said_.clear();
    if (!program_->go_on(std::chrono::milliseconds(200)) && said_.empty()) return std::nullopt;
    return said_;
}

Result<contract::Image> DebianBuild::finish() {
    const auto& ended = program_->ended();
    if (ended.killed) return unavailable("IMAGE_007", "the image took too long to make", "try again, with fewer packages or a nearer mirror");
    if (ended.status != 0) {
        // apt says what is wrong in lines of its own; what follows only says that it failed.
        std::string why;
        for (const auto& line : split(ended.err, '\n'))
            if (const auto text = trim(line); text.starts_with("E: ") && text.find("mmdebstrap failed") == std::string_view::npos && why.empty())
                why = to_valid_utf8(text.substr(3));
        return unavailable("IMAGE_007", "mmdebstrap could not make the image" + (why.empty() ? "" : ": " + why),
                           "is the mirror reachable, and are all packages in the suite '" + wanted_.suite + "'? --mirror and --suite say otherwise");
    }
    const auto packages = wanted_.packages.empty() ? "" : ": " + join(wanted_.packages, ", ");
    return store_.import({wanted_.name, (held_.path / "root.tar").string(), ""}, "Debian's " + wanted_.suite + packages);
}

}  // namespace cicd::images
