#include "common/pipeline/remote.hpp"

#include <algorithm>

namespace cicd::pipeline {

std::optional<RemotePlace> remote_place(const model::Source& source) {
    std::string url = source.remote.empty() ? source.repository : source.remote;
    while (url.ends_with('/')) url.pop_back();
    if (url.ends_with(".git")) url.erase(url.size() - 4);
    const auto scheme = url.find("://");
    const auto colon = url.find(':');
    RemotePlace place;
    if (scheme != url.npos && !url.starts_with("file:")) {
        const auto slash = url.find('/', scheme + 3);
        if (slash == url.npos) return std::nullopt;
        place = {url.substr(scheme + 3, slash - scheme - 3), url.substr(slash + 1)};
    } else if (scheme == url.npos && colon != url.npos && url.find('/') > colon) {
        place = {url.substr(0, colon), url.substr(colon + 1)};
    } else {
        return std::nullopt;
    }
    if (const auto at = place.host.rfind('@'); at != place.host.npos) place.host.erase(0, at + 1);
    place.host.erase(std::min(place.host.find(':'), place.host.size()));
    return place;
}

RemoteNames remote_names(const model::Source& source, const std::string& usual_server) {
    const auto name = source.name.empty() ? std::string("project") : source.name;
    const RemoteNames local{"local/" + name, name, usual_server};
    auto place = remote_place(source);
    if (!place) return local;
    auto& path = place->path;
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    const auto slash = path.rfind('/');
    if (slash == path.npos || slash + 1 == path.size() || place->host.empty()) return local;
    return {path, path.substr(slash + 1), "https://" + place->host};
}

}  // namespace cicd::pipeline
