#include "cli/pipeline_files.hpp"

#include "cli/files.hpp"
#include "common/pipeline/front.hpp"

#include <algorithm>
#include <iterator>

namespace cicd::cli {

namespace {

std::vector<std::string> files_in(const std::filesystem::path& root, const std::string& folder) {
    std::vector<std::string> found;
    std::error_code fault;
    for (const auto& entry : std::filesystem::directory_iterator(root / folder, fault)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file(fault) && (extension == ".yaml" || extension == ".yml" || extension == ".json"))
            found.push_back(folder + "/" + entry.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

std::vector<std::string> pipeline_files(const std::filesystem::path& root) {
    std::vector<std::string> found;
    std::error_code fault;
    for (const auto* name : {".cicd.yaml", ".cicd.yml"})
        if (std::filesystem::is_regular_file(root / name, fault)) found.emplace_back(name);
    const auto more = files_in(root, ".cicd/pipelines");
    found.insert(found.end(), more.begin(), more.end());
    return found;
}

Result<std::vector<std::string>> pipeline_files_here() {
    std::error_code fault;
    const auto here = std::filesystem::current_path(fault);
    const auto root = repository_root(here).value_or(here);
    auto files = pipeline_files(root);
    if (files.empty())
        for (const auto& home : pipeline::homes()) {
            if (home.file.empty()) std::ranges::move(files_in(root, std::string(home.folder)), std::back_inserter(files));
            else if (std::filesystem::is_regular_file(root / home.file, fault)) files.emplace_back(home.file);
        }
    if (files.empty())
        return not_found("PIPELINE_001",
                         "no pipeline in " + root.string() + ": neither .cicd.yaml nor .cicd/pipelines/*.yaml nor a pipeline of GitHub, GitLab or Bitbucket",
                         "'cicdctl init' writes one that fits the project");
    const auto prefix = root.lexically_relative(here);
    for (auto& file : files) file = (prefix / file).lexically_normal().string();
    return files;
}

}  // namespace cicd::cli
