#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

/// Runs while cicd is built: `cicd-seccomp FILE` writes the filter of system calls that sandboxed jobs are under, as C++.
/// To make it takes libseccomp 0.4 ms, a tenth of a job's start; made once, it costs nothing but its installation.

/// The line is that of Docker's default profile for a container without capabilities: what it refuses is refused here,
/// so tools meet nothing that they do not meet in every hosted CI. That means: ptrace and process_vm_readv work
/// (debuggers and strace; the namespaces keep them inside), 32-bit programs run under the same rules, and namespaces and
/// mounts of a job's own are refused, because they open the kernel's largest surface to attack. Unlike Docker's it is a
/// list of what is refused: a system call that is newer than this list works. personality is left alone; it weakens
/// only who calls it.
namespace {

constexpr std::array refused{
    // the kernel's own code and parameters
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "query_module",
    "get_kernel_syms", "bpf", "perf_event_open", "userfaultfd", "lookup_dcookie", "_sysctl", "sysfs", "nfsservctl",
    "syslog", "fanotify_init",
    // the machine
    "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "settimeofday", "stime", "clock_settime",
    "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "iopl", "ioperm", "vhangup", "vm86", "vm86old",
    "uselib", "ustat", "sethostname", "setdomainname",
    // keys are not kept apart by namespaces of ours
    "add_key", "request_key", "keyctl",
    // mounts and namespaces
    "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    "pivot_root", "chroot", "unshare", "setns", "open_by_handle_at",
    // more of its bugs were found than of all others together
    "io_uring_setup", "io_uring_enter", "io_uring_register"};

constexpr std::array<std::uint64_t, 7> namespaces{CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET,
                                                  CLONE_NEWUTS, CLONE_NEWIPC,  CLONE_NEWCGROUP};

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

/// A name that this architecture does not have is no problem.
int refuse(const Filter& filter, const char* name, std::uint32_t action = SCMP_ACT_ERRNO(EPERM)) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return 0;
    const int code = ::seccomp_rule_add(filter.get(), action, number, 0);
    return code == -EDOM ? 0 : code;
}

int refuse_arguments(const Filter& filter) {
    const auto eperm = SCMP_ACT_ERRNO(EPERM);
    int code = 0;
    for (const auto flag : namespaces)
        if (code == 0)
            code = ::seccomp_rule_add(filter.get(), eperm, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    // What is typed into a terminal comes from its user; the 32 bits that the kernel looks at count.
    for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}})
        if (code == 0)
            code = ::seccomp_rule_add(filter.get(), eperm, SCMP_SYS(ioctl), 1,
                                      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request));
    // Virtual machines' sockets lead to the host, past every network namespace.
    if (code == 0)
        code = ::seccomp_rule_add(filter.get(), eperm, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_VSOCK));
    return code;
}

int describe(const Filter& filter) {
    int code = 0;
#ifdef __x86_64__
    code = ::seccomp_arch_add(filter.get(), SCMP_ARCH_X86);
#elif defined(__aarch64__)
    code = ::seccomp_arch_add(filter.get(), SCMP_ARCH_ARM);
#endif
    if (code == 0) code = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    // A tree instead of a list: the kernel tries the filter for every system call that there is when it is installed.
    if (code == 0) code = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (const char* name : refused)
        if (code == 0) code = refuse(filter, name);
    // Its flags are in memory, where a filter cannot look. Who hears that it is not there uses clone.
    if (code == 0) code = refuse(filter, "clone3", SCMP_ACT_ERRNO(ENOSYS));
    return code == 0 ? refuse_arguments(filter) : code;
}

}  // namespace

int main(int count, char** arguments) {
    const Filter filter(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
    const int code = filter ? describe(filter) : -ENOMEM;
    std::FILE* program = std::tmpfile();
    std::FILE* out = count == 2 ? std::fopen(arguments[1], "w") : nullptr;
    if (code != 0 || !program || !out || ::seccomp_export_bpf(filter.get(), ::fileno(program)) != 0) {
        std::fprintf(stderr, "cannot make the filter of system calls: %s\n", std::strerror(code < 0 ? -code : errno));
        return 1;
    }
    std::rewind(program);
    std::fputs("#include \"daemon/runner/seccomp.hpp\"\n\n#include <cstdint>\n\n"
               "namespace cicd::runner {\nstatic constexpr std::uint64_t instructions[] = {\n", out);
    for (std::uint64_t instruction = 0; std::fread(&instruction, sizeof instruction, 1, program) == 1;)
        std::fprintf(out, "    0x%016llx,\n", static_cast<unsigned long long>(instruction));
    std::fputs("};\nstd::string_view system_call_filter() {\n"
               "    return {reinterpret_cast<const char*>(instructions), sizeof instructions};\n}\n"
               "}  // namespace cicd::runner\n", out);
    return std::fclose(out) == 0 ? 0 : 1;
}
