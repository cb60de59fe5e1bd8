#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace cicd::images {

/// Lays files of a stranger's archive, layer by layer, into a folder that nothing of it leaves: every path and every link
/// is resolved with the folder as root. Owners are dropped (a job has one user) and with them the set-user-ID bits; what
/// only root could open is opened to the owner.
class TreeWriter {
public:
    explicit TreeWriter(os::Fd root) : root_(std::move(root)) {}

    /// From here on whiteouts are about what was there before.
    void begin_layer() { made_.clear(); }
    Result<void> folder(std::string_view path, int mode);
    Result<os::Fd> file(std::string_view path, int mode);
    Result<void> link(std::string_view path, const std::string& target);
    Result<void> hard_link(std::string_view path, std::string_view to);
    /// `.wh.NAME` removes NAME, `.wh..wh..opq` everything below its folder, of earlier layers. False: it is neither.
    Result<bool> whiteout(std::string_view path);

private:
    struct Place {
        int parent = -1;   ///< of parent_
        std::string name;  ///< empty: the root itself
    };
    Result<Place> place(std::string_view path);
    Result<void> enter(const std::string& folder);
    Result<void> make_room(const Place& place, std::string_view path, bool for_folder);
    Result<void> prune(int parent, const std::string& name, const std::string& path);
    Result<void> prune_below(int folder, const std::string& path);
    void made(int parent, const std::string& name);

    os::Fd root_, parent_;
    std::string parent_path_;
    std::unordered_set<std::uint64_t> made_;  ///< inodes of this layer
};

}  // namespace cicd::images
