#include "tests/support/image.hpp"
#include "tests/support/ordinary_user.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

// `system: writable` by the real programs: root in a system of its own, and nothing of it stays.
namespace {

namespace fs = std::filesystem;

bool is_root() {
    if (is_sanitized("cicd-runner")) {
        MESSAGE("skipped: a runner with a sanitizer in it cannot try overlays");
        return false;
    }
    if (::geteuid() != 0) MESSAGE("skipped: this needs a daemon that runs as root");
    return ::geteuid() == 0;
}

/// Names, owners, rights, sizes and times of everything below.
std::string state_of(const fs::path& folder) {
    std::string text;
    std::error_code ignored;
    struct stat facts {};
    for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
        if (::lstat(entry.path().c_str(), &facts) != 0) continue;
        text += entry.path().string() + " " + std::to_string(facts.st_uid) + ":" + std::to_string(facts.st_gid) + " " + std::to_string(facts.st_mode) +
                " " + std::to_string(facts.st_size) + " " + std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + "\n";
    }
    return text;
}

struct Host {
    std::string status = read_file("/var/lib/dpkg/status"), etc = state_of("/etc"), local = state_of("/usr/local"),
                packages = state_of("/var/lib/dpkg"), lists = state_of("/var/lib/apt"), passwords = read_file("/etc/shadow");
    bool operator==(const Host&) const = default;
};

/// A package of one file and one script.
void make_package(const fs::path& folder, const std::string& name) {
    write_file(folder / name / "DEBIAN/control", "Package: " + name + "\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: tiny\n");
    write_file(folder / name / "DEBIAN/postinst", "#!/bin/sh\nset -e\nuseradd --system --no-create-home " + name + "\nmkdir -p /var/lib/" + name +
                                                      "\nchown " + name + " /var/lib/" + name + "\n");
    write_file(folder / name / ("usr/share/" + name + "/file"), "of " + name + "\n");
    fs::permissions(folder / name / "DEBIAN/postinst", fs::perms{0755});
    const auto built = run({"dpkg-deb", "--root-owner-group", "-b", (folder / name).string(), (folder / (name + ".deb")).string()});
    INFO(built.out, built.err);
    REQUIRE(built.code == 0);
    fs::remove_all(folder / name);
}

}  // namespace

TEST_CASE("packages are installed into a copy of this machine's system, and nothing of it stays") {
    if (!is_root()) return;
    if (!fs::exists("/usr/bin/dpkg-deb") || !fs::exists("/usr/bin/apt-get")) {
        MESSAGE("skipped: this machine has no apt");
        return;
    }
    GitRepository repository{{".cicd.yaml",
        "name: p\nstages:\n  - name: a\n    system: writable\n    network: none\n    commands:\n"
        "      - id -un; echo \"home $HOME\"; sudo -n true\n"
        "      - sudo dpkg -i cicd-tiny-one.deb && cat /usr/share/cicd-tiny-one/file\n"
        "      - sudo -E apt-get install -y ./cicd-tiny-two.deb && cat /usr/share/cicd-tiny-two/file\n"
        "      - stat -c 'owner %U' /var/lib/cicd-tiny-two && id cicd-tiny-two && sudo -u cicd-tiny-two X=y sh -c 'echo \"i am $(id -un) $X\"'\n"
        "      - echo new > /etc/cicd-test && echo more >> /etc/hosts && rm /etc/debian_version && chown 33:33 /usr/local/bin && touch /usr/bin/cicd-test\n"
        "      - test \"$(find /home /root -mindepth 1 | wc -l)\" = 0 && test ! -e /run/systemd && test ! -e /var/log/dpkg.log.1\n"
        "      - '! grep -q \"[$]\" /etc/shadow && grep -q ^root: /etc/shadow && test ! -s /etc/sudoers'\n"
        "      - '! mount -t tmpfs none /mnt 2>/dev/null && ! unshare -m true 2>/dev/null && echo held'\n"
        "      - 'echo made > of-root; test \"$(stat -c %U:%G of-root note)\" = \"$(printf \"root:root\\nroot:root\")\"'\n"
        "    artifacts: [{name: made, paths: [of-root]}]\n"}, {"note", "noted\n"}};
    make_package(repository.path(), "cicd-tiny-one");
    make_package(repository.path(), "cicd-tiny-two");
    World world;
    const Host before;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    for (const auto* line : {"] root\n", "home /root", "of cicd-tiny-one", "of cicd-tiny-two", "owner cicd-tiny-two", "i am cicd-tiny-two y", "held"})
        CHECK_MESSAGE(contains(outcome.out, line), line);
    const Host after;
    CHECK(after.status == before.status);
    CHECK(after.etc == before.etc);
    CHECK(after.local == before.local);
    CHECK(after.packages == before.packages);
    CHECK(after.lists == before.lists);
    CHECK(after.passwords == before.passwords);
    CHECK(!fs::exists("/usr/share/cicd-tiny-one"));
    CHECK(eventually([&] { return !fs::exists(world.state() / "jobs/job-1/1/workspace"); }));
}

TEST_CASE("what needed jobs left is the root's of a writable system, and what it leaves is everybody's") {
    if (!is_root()) return;
    GitRepository repository{{".cicd.yaml",
        "name: p\nstages:\n  - {name: a, commands: ['mkdir out; echo one > out/file'], artifacts: [{name: x, paths: ['out/**']}]}\n"
        "  - {name: b, system: writable, commands: ['echo two >> out/file; echo three > out/other; chown 77:88 out/other'], artifacts: [{name: y, paths: ['out/**']}]}\n"
        "  - {name: c, needs: [b], commands: ['cat out/file out/other']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "[c] two"));
    CHECK(contains(outcome.out, "[c] three"));
}

TEST_CASE("in an image a writable system has users, or where the daemon is an ordinary user's one root") {
    if (const auto why = why_not_in_an_image(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    GitRepository repository{{".cicd.yaml",
        "name: p\ndefaults: {image: box, system: writable, network: none}\nstages:\n  - name: a\n    commands:\n"
        "      - id -u; echo \"home $HOME\"; touch /bin/new /etc/new && rm /etc/image-file\n"
        "      - test ! -e /etc/image-file && sudo -H -n sh -c 'id -u; echo \"and $HOME\"' && sudo -u root -- env | grep SUDO_USER=root\n"
        "      - 'touch mine; chown 1234:5678 mine && sudo -u app id -u && stat -c \"is %u:%g\" mine'\n"}};
    World world;
    write_oci_layout(world.folder() / "layout", {{busybox_layer()}, R"({"User":"app"})", ""});
    REQUIRE(world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()}).code == 0);
    const auto digest = world.json({"image", "show", "box"})["digest"].as_string();
    const auto before = state_of(world.state() / "images" / digest.substr(7) / "rootfs");
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(contains(outcome.out, "] 0\n"));
    CHECK(contains(outcome.out, "home /root"));
    CHECK(contains(outcome.out, "and /root"));
    CHECK(outcome.code == (::geteuid() == 0 ? 0 : 1));
    if (::geteuid() == 0) {
        CHECK(contains(outcome.out, "] 1234\n"));
        CHECK(contains(outcome.out, "is 1234:5678"));
    }
    CHECK(state_of(world.state() / "images" / digest.substr(7) / "rootfs") == before);
    CHECK(eventually([&] { return !fs::exists(world.state() / "jobs/job-1/1/workspace"); }));
}

TEST_CASE("an ordinary user's writable system has users where the machine gives it subordinate ids, and else says what to do") {
    if (!is_root() || !why_not_in_an_image().empty()) return;
    if (const auto why = OrdinaryUser::why_not(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    GitRepository repository{{".cicd.yaml",
        "name: p\ndefaults: {image: box, system: writable, network: none}\nstages:\n  - name: a\n    commands:\n"
        "      - 'id -u; sudo -n id -u'\n"
        "      - 'touch mine /etc/mine; chown 1234:5678 mine /etc/mine; chown 0:65534 /bin/new 2>/dev/null || touch /bin/new; stat -c \"is %u:%g\" mine'\n"
        "      - 'mkdir -m 700 /var-of-app; chown 100:0 /var-of-app; sudo -u app sh -c \"id -u\"'\n"
        "      - '! mount -t tmpfs none /mnt 2>/dev/null && echo held'\n"}};
    const TempDir folder;
    write_oci_layout(folder / "layout", {{busybox_layer()}, "{}", ""});
    const auto run_by = [&](const OrdinaryUser& user) {
        user.give(repository.path(), "repository");
        user.give(folder / "layout", "layout");
        return user.sh("\"$cicdctl\" image import box layout >/dev/null; cd repository; \"$cicdctl\" run; echo \"ended with $?\"; i=0;"
                       " while ls -d ../state/jobs/job-1/1/workspace 2>/dev/null && test $i -lt 200; do sleep 0.05; i=$((i+1)); done;"
                       " \"$cicdctl\" doctor; \"$cicdctl\" daemon stop");
    };
    const OrdinaryUser rich(OrdinaryUser::Ids::some), poor(OrdinaryUser::Ids::none);
    const auto with = run_by(rich);
    INFO(with.out, with.err);
    CHECK(contains(with.out, "] 0\n"));
    CHECK(contains(with.out, "is 1234:5678"));
    CHECK(contains(with.out, "] 1234\n"));
    CHECK(contains(with.out, "held"));
    CHECK(contains(with.out, "ended with 0"));
    CHECK(contains(with.out, "writable systems have users of their own"));
    CHECK(!fs::exists(rich.home() / "state/jobs/job-1/1/workspace"));
    const auto without = run_by(poor);
    INFO(without.out, without.err);
    CHECK(contains(without.out, "ended with 1"));
    CHECK(contains(without.out + without.err, "nobody has no 65535 subordinate ids in /etc/subuid"));
    CHECK(contains(without.out + without.err, "usermod --add-subuids"));
}

TEST_CASE("a writable system goes together with services") {
    if (!is_root() || !why_not_in_an_image().empty()) return;
    GitRepository repository{{".cicd.yaml",
        "name: p\nstages:\n  - name: a\n    system: writable\n    network: none\n"
        "    services: {web: {command: 'busybox httpd -f -p 80', ready: 'busybox wget -q -O - http://localhost/note'}}\n"
        "    commands: ['busybox wget -q -O - http://web/note']\n"}, {"note", "noted\n"}};
    World world;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "noted"));
}
