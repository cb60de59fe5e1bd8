#include "cli/pipeline_files.hpp"

#include "cli/files.hpp"

#include <algorithm>

namespace cicd::cli {

std::vector<std::string> pipeline_files(const std::filesystem::path& root) {
    std::vector<std::string> found;
    std::error_code fault;
    for (const auto* name : {".cicd.yaml", ".cicd.yml"})
        if (std::filesystem::is_regular_file(root / name, fault)) found.emplace_back(name);
    const auto folder = root / ".cicd" / "pipelines";
    std::vector<std::string> more;
    for (const auto& entry : std::filesystem::directory_iterator(folder, fault)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file(fault) && (extension == ".yaml" || extension == ".yml" || extension == ".json"))
            more.push_back(".cicd/pipelines/" + entry.path().filename().string());
    }
    std::sort(more.begin(), more.end());
    found.insert(found.end(), more.begin(), more.end());
    return found;
}

Result<std::vector<std::string>> pipeline_files_here() {
    std::error_code fault;
    const auto here = std::filesystem::current_path(fault);
    const auto root = repository_root(here).value_or(here);
    auto files = pipeline_files(root);
    if (files.empty())
        return not_found("PIPELINE_001",
                         "no pipeline in " + root.string() + ": neither .cicd.yaml nor .cicd/pipelines/*.yaml",
                         "'cicdctl init' writes one that fits the project");
    const auto prefix = root.lexically_relative(here);
    for (auto& file : files) file = (prefix / file).lexically_normal().string();
    return files;
}

}  // namespace cicd::cli
