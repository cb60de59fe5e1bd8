#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Namespaces of its own for a program (users, mounts, processes, IPC, host name, cgroups, and the network if wanted):
/// it sees the listed files, has no capabilities and cannot gain any. Works as root and as an ordinary user.
namespace cicd::os {

struct Enclosure {
    enum class Kind {
        folder,     ///< empty, with `mode`; one that an overlay has stays as it is
        link,       ///< symbolic, holding `source`
        file,       ///< holding `source`, with `mode`; in the place of what an overlay has there
        bind,       ///< the host's `source`: with all below it, read-only unless `writable`
        overlay,    ///< `source` is the whole option string of overlayfs; `mounted_on` a host folder to mount it on
        proc,       ///< of the new PID namespace
        terminals,  ///< a devpts of its own
        memory,     ///< an empty tmpfs with `mode`; `source` says how many bytes it holds
    };
    struct Entry {
        Kind kind = Kind::folder;
        std::string target;  ///< absolute, as the program sees it; parents come before
        std::string source = {};
        int mode = 0755;
        bool writable = false;
        bool devices = false;  ///< bind: device nodes there work
        std::string mounted_on = {};
        bool shifted = false;  ///< bind: its owners are seen with the ids of `inhabitants`
        bool operator==(const Entry&) const = default;
    };
    /// Made in this order below the root. No link in an image leads out of it.
    std::vector<Entry> entries;
    /// The root: overlayfs' whole option string, and a host folder to mount it on. Empty: an empty writable tmpfs.
    std::string root_overlay, root_mounted_on;
    std::optional<std::uint64_t> root_size;  ///< bytes that the root may hold; the kernel's default is half of the memory
    std::string program;                     ///< on the host, statically linked; run from a read-only mount nobody sees
    std::string hostname;
    unsigned user = 1000, group = 1000;      ///< as the program sees them; outside it is the one who starts it
    /// A user namespace (see make_id_space) in which the program lives, as its user 0, who is `owner` where the mounts are
    /// made: by root of the host, or in the outer one of IdSpaces. -1: it gets one of its own, with one user.
    int inhabitants = -1;
    unsigned owner = 0;
    /// Then: folders of the host whose owners are seen with those ids, and where they are mounted so for the overlays here.
    std::vector<std::pair<std::string, std::string>> shifted;
    /// What the program may do in its own user namespace; nothing else ever.
    std::vector<int> capabilities;
    bool own_network = false;                ///< only a loopback, which is up
    std::string seccomp;                     ///< a BPF program (struct sock_filter one after another); empty: none
    /// A last entry is told later, by a packet at this socket: who enters waits for it and leaves it there. -1: none is.
    int awaited = -1;
    std::string awaited_target;
};

/// A folder that the program works in: the host's, or an overlay of its `upper` over read-only layers, the uppermost first.
Enclosure::Entry workspace_entry(std::string target, const std::string& folder, const std::vector<std::string>& layers);
/// What tells of an entry that is awaited; more may follow in the packet.
std::string pack_later(const Enclosure::Entry& entry);
std::optional<Enclosure::Entry> unpack_later(std::string_view& packet, const std::string& target);
constexpr std::size_t largest_later = 64 << 10;

/// What a minimal /dev is made of.
void add_devices(Enclosure& enclosure);

/// Where entering failed.
struct EnclosureFailure {
    const char* what = nullptr;  ///< absent: it did not
    const char* path = nullptr;
};

/// The mechanical part, for the child of `spawn`: it shares our memory, so nothing here allocates or throws (but where
/// something is awaited: then it has memory of its own).
class EnclosureEntry {
public:
    /// `nested`: it is entered from a user namespace in which who starts it is 0 already.
    explicit EnclosureEntry(const Enclosure& enclosure, bool nested = false);
    /// For clone(2).
    [[nodiscard]] int flags() const;
    /// From the host to the new root. On failure errno is set, and the answer says at what.
    EnclosureFailure enter();
    /// After the descriptors are in place: no way back, no new rights.
    EnclosureFailure close_behind();
    /// The program, open; not inherited.
    [[nodiscard]] int program() const { return program_; }

private:
    static EnclosureFailure map_users(const std::string& user, const std::string& group);
    EnclosureFailure enter_inner_users();
    EnclosureFailure join_inhabitants();
    EnclosureFailure shift(const std::string& source, const std::string& place);
    [[nodiscard]] bool is_inhabited() const { return enclosure_.inhabitants >= 0; }
    EnclosureFailure open_sources();
    EnclosureFailure open_source(const Enclosure::Entry& entry, int& mount);
    EnclosureFailure await_later();
    EnclosureFailure open_root();
    EnclosureFailure leave_host();
    EnclosureFailure build();
    EnclosureFailure build_as_owner();
    EnclosureFailure place(const Enclosure::Entry& entry, int mount);
    EnclosureFailure protect_proc();
    EnclosureFailure lose_capabilities();

    const Enclosure& enclosure_;
    std::string outer_user_, outer_group_, inner_user_, inner_group_, root_size_;
    std::vector<int> mounts_;  ///< one per entry, detached; -1: none
    Enclosure::Entry later_;
    bool is_root_;
    int root_ = -1, program_ = -1;
};

}  // namespace cicd::os
