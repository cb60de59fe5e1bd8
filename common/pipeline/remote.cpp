#include "common/pipeline/remote.hpp"

#include <algorithm>

namespace cicd::pipeline {

RemoteNames remote_names(const model::Source& source, const std::string& usual_server) {
    const auto name = source.name.empty() ? std::string("project") : source.name;
    RemoteNames names{"local/" + name, name, usual_server};
    std::string url = source.remote.empty() ? source.repository : source.remote;
    while (url.ends_with('/')) url.pop_back();
    if (url.ends_with(".git")) url.erase(url.size() - 4);
    const auto scheme = url.find("://");
    const auto colon = url.find(':');
    std::string host, path;
    if (scheme != url.npos && !url.starts_with("file:")) {
        const auto slash = url.find('/', scheme + 3);
        if (slash == url.npos) return names;
        host = url.substr(scheme + 3, slash - scheme - 3);
        path = url.substr(slash + 1);
    } else if (scheme == url.npos && colon != url.npos && url.find('/') > colon) {
        host = url.substr(0, colon);
        path = url.substr(colon + 1);
    } else {
        return names;
    }
    if (const auto at = host.rfind('@'); at != host.npos) host.erase(0, at + 1);
    host.erase(std::min(host.find(':'), host.size()));
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    const auto slash = path.rfind('/');
    if (slash == path.npos || slash + 1 == path.size() || host.empty()) return names;
    return {path, path.substr(slash + 1), "https://" + host};
}

}  // namespace cicd::pipeline
