#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>
#include <string>

using namespace cicd;
using namespace cicd::test;

/// What people upload: files and folders of any size, and archives that may be made to do harm.
namespace {

struct Shop {
    Shop() : repository({{".cicd.yaml", "name: app\nstages:\n  - {name: build, commands: ['true']}\n"}}) {
        std::filesystem::create_directories(folder());
    }
    void run_once() const { REQUIRE(world.cicdctl({"run"}, world.in(repository.path())).code == 0); }
    [[nodiscard]] std::filesystem::path folder() const { return world.folder() / "up"; }
    [[nodiscard]] Outcome cicdctl(std::vector<std::string> words) const { return world.cicdctl(words, world.in(folder())); }
    void python(const std::string& program) const {
        const auto done = run({"python3", "-c", "import io,os,sys,tarfile,zipfile\n" + program}, {.directory = folder()});
        INFO(done.err);
        REQUIRE(done.code == 0);
    }
    [[nodiscard]] std::size_t artifacts() const { return world.json({"artifact", "list"})["data"].as_array().size(); }

    World world;
    GitRepository repository;
};

/// Between a client and the daemon: cuts its first connections after so many bytes each, and counts what clients send.
class Proxy {
public:
    Proxy(std::filesystem::path at, std::filesystem::path to, std::vector<std::uint64_t> cuts, std::function<void()> at_cut = nullptr)
        : to_(std::move(to)), cuts_(std::move(cuts)), at_cut_(std::move(at_cut)), listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const auto address = named(at);
        REQUIRE(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listening_, 16) == 0);
        accepting_ = std::thread([this] {
            for (int client = 0; (client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) carrying_.emplace_back([this, client] { carry(client); });
        });
    }
    ~Proxy() {
        stopping_ = true;
        ::shutdown(listening_, SHUT_RDWR);
        accepting_.join();
        for (auto& each : carrying_) each.join();
        ::close(listening_);
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::size_t cuts_left() const { return cuts_.size(); }

private:
    static sockaddr_un named(const std::filesystem::path& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        return address;
    }
    static bool pass(int from, int to, std::uint64_t most, std::uint64_t& passed) {
        char buffer[64 << 10];
        const ssize_t n = ::read(from, buffer, std::min<std::uint64_t>(sizeof buffer, most));
        for (ssize_t done = 0; done < n;) {
            const ssize_t now = ::send(to, buffer + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
            if (now <= 0) return false;
            done += now;
        }
        passed = n > 0 ? static_cast<std::uint64_t>(n) : 0;
        return n > 0;
    }
    void carry(int client) {
        const int daemon = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto address = named(to_);
        bool open = ::connect(daemon, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        for (std::uint64_t mine = 0; open && !stopping_;) {
            pollfd ends[2]{{client, POLLIN, 0}, {daemon, POLLIN, 0}};
            if (::poll(ends, 2, 100) <= 0) continue;
            std::uint64_t passed = 0;
            if (ends[0].revents != 0) open = pass(client, daemon, UINT64_MAX, passed), mine += passed, sent_ += passed;
            if (open && ends[1].revents != 0) open = pass(daemon, client, UINT64_MAX, passed);
            const std::lock_guard lock(mutex_);
            if (cuts_.empty() || mine < cuts_.front()) continue;
            cuts_.erase(cuts_.begin());
            if (at_cut_) at_cut_();
            open = false;
        }
        ::close(client);
        ::close(daemon);
    }

    std::filesystem::path to_;
    std::vector<std::uint64_t> cuts_;
    std::function<void()> at_cut_;
    int listening_;
    std::mutex mutex_;
    std::atomic<std::uint64_t> sent_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread accepting_;
    std::vector<std::thread> carrying_;
};

bool holds_nothing(const std::filesystem::path& folder) { return !std::filesystem::exists(folder) || std::filesystem::is_empty(folder); }

}  // namespace

TEST_CASE("an upload goes on where the connection broke, or the daemon was killed, and leaves nothing half") {
    Shop shop;
    shop.run_once();
    shop.python("open('big','wb').write(os.urandom(1<<20)*40)");
    constexpr std::uint64_t size = 40 << 20;
    const auto socket = shop.world.folder() / "proxy.sock";
    auto options = shop.world.in(shop.folder());
    options.env["CICD_SOCKET"] = socket.string();
    const auto upload = [&](const std::string& name) { return shop.world.cicdctl({"artifact", "upload", "run-1", name, "big"}, options); };
    SUBCASE("cut twice") {
        const Proxy proxy(socket, shop.world.state() / "cicdd.sock", {15 << 20, 10 << 20});
        const auto up = upload("big");
        INFO(up.out, up.err);
        CHECK(up.code == 0);
        CHECK(proxy.cuts_left() == 0);
        CHECK(proxy.sent() < size + (8 << 20));  // what was on its way is sent again
    }
    SUBCASE("the daemon is killed") {
        const Proxy proxy(socket, shop.world.state() / "cicdd.sock", {20 << 20}, [&] {
            shop.world.kill_daemon();
            shop.world.start_daemon();
        });
        const auto up = upload("big");
        INFO(up.out, up.err);
        CHECK(up.code == 0);
        CHECK(proxy.sent() < size + (8 << 20));
    }
    SUBCASE("the command is killed, and given again") {
        const Proxy proxy(socket, shop.world.state() / "cicdd.sock", {});
        {
            const Background first({program("cicdctl"), "artifact", "upload", "run-1", "big", "big"}, options);
            REQUIRE(eventually([&] { return proxy.sent() > (4 << 20); }));
            first.signal(SIGKILL);
        }
        const auto before = proxy.sent();
        const auto up = upload("big");
        INFO(up.out, up.err);
        // On a quick machine it may have been whole by then.
        const bool whole = up.code != 0 && contains(up.err, "ARTIFACT_005");
        CHECK((up.code == 0 || whole));
        if (!whole) CHECK(proxy.sent() - before < size);
    }
    CHECK(shop.artifacts() == 1);
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--to", "again"}).code == 0);
    CHECK(run({"cmp", "big", "again"}, {.directory = shop.folder()}).code == 0);
    CHECK(holds_nothing(shop.world.state() / "uploads"));
    CHECK(contains(shop.world.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
}

TEST_CASE("a file of 40 MiB is uploaded, and comes back as it was, also after a download that broke off") {
    const Shop shop;
    shop.run_once();
    shop.python("open('big','wb').write(os.urandom(1<<20)*40)");
    const auto up = shop.cicdctl({"artifact", "upload", "run-1", "big", "big"});
    INFO(up.out, up.err);
    REQUIRE(up.code == 0);
    const auto artifact = shop.world.json({"artifact", "show", "artifact-1"});
    CHECK(artifact["size"] == Value(40 << 20));
    CHECK(artifact["jobId"] == Value(""));
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--to", "again"}).code == 0);
    CHECK(run({"cmp", "big", "again"}, {.directory = shop.folder()}).code == 0);
    const auto part = "later." + artifact["digest"].as_string().substr(0, 12) + ".part";
    shop.python("open('" + part + "','wb').write(open('big','rb').read(30<<20))");
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--to", "later", "--continue"}).code == 0);
    CHECK(run({"cmp", "big", "later"}, {.directory = shop.folder()}).code == 0);
    CHECK(contains(shop.world.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
}

TEST_CASE("what comes from a pipe is uploaded without anybody knowing its length") {
    const Shop shop;
    shop.run_once();
    const auto command = program("cicdctl") + " artifact upload job-1 numbers -";
    const auto up = run({"sh", "-c", "seq 2000000 | " + command}, shop.world.in(shop.folder()));
    INFO(up.out, up.err);
    REQUIRE(up.code == 0);
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--to", "numbers"}).code == 0);
    CHECK(run({"sh", "-c", "seq 2000000 | cmp - numbers"}, {.directory = shop.folder()}).code == 0);
}

TEST_CASE("folders and files are uploaded as they lie there, and come as tar, zip and tar.zst") {
    const Shop shop;
    shop.run_once();
    shop.python("os.makedirs('site/sub/empty'); open('site/index.html','w').write('hello'); open('site/sub/ä','w').write('umlaut')\n"
                "os.symlink('index.html','site/start'); os.chmod('site/index.html',0o755); open('robots.txt','w').write('no')");
    const auto up = shop.cicdctl({"artifact", "upload", "run-1", "site", "site", "robots.txt", "--type", "page"});
    INFO(up.out, up.err);
    REQUIRE(up.code == 0);
    for (const std::string format : {"tar", "zip", "tar.zst"}) {
        const auto down = shop.cicdctl({"artifact", "download", "artifact-1", "--format", format});
        INFO(format, ": ", down.err);
        CHECK(down.out == "site." + format + "\n");
    }
    shop.python("t=tarfile.open('site.tar'); z=zipfile.ZipFile('site.zip'); assert z.testzip() is None\n"
                "names=sorted(n.rstrip('/') for n in t.getnames())\n"
                "assert names==['robots.txt','site','site/index.html','site/start','site/sub','site/sub/empty','site/sub/ä'], names\n"
                "assert sorted(n.rstrip('/') for n in z.namelist())==names, z.namelist()\n"
                "assert z.read('site/sub/ä')==b'umlaut' and t.getmember('site/index.html').mode==0o755");
    CHECK(run({"sh", "-c", "mkdir z && tar --zstd -xf site.tar.zst -C z && cmp z/site/index.html site/index.html && test -L z/site/start"},
              {.directory = shop.folder()}).code == 0);
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--format", "rar"}).code == 2);
    CHECK(shop.cicdctl({"artifact", "upload", "run-1", "site", "robots.txt"}).code == 7);
}

TEST_CASE("archives are unpacked: tar, tar.gz, tar.xz, tar.zst and zip hold the same") {
    const Shop shop;
    shop.run_once();
    shop.python("os.makedirs('d/e'); open('d/e/f','w').write('x'*100000); open('d/g','w').write('y')");
    REQUIRE(run({"sh", "-c", "tar -cf a.tar d && tar -czf a.tar.gz d && tar -cJf a.tar.xz d && tar --zstd -cf a.tar.zst d"},
                {.directory = shop.folder()}).code == 0);
    shop.python("z=zipfile.ZipFile('a.zip','w',zipfile.ZIP_DEFLATED); z.write('d/e/f'); z.write('d/g')");
    for (const std::string kind : {"tar", "tar.gz", "tar.xz", "tar.zst", "zip"}) {
        const auto up = shop.cicdctl({"artifact", "upload", "run-1", kind, "a." + kind, "--unpack"});
        INFO(up.err);
        CHECK(up.code == 0);
    }
    const auto artifacts = shop.world.json({"artifact", "list"})["data"];
    CHECK(artifacts.as_array().size() == 5);
    for (const auto& artifact : artifacts.as_array()) {
        CHECK(artifact["files"] == Value(2));
        CHECK(artifact["size"] == Value(100001));
    }
    CHECK(contains(shop.world.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
}

TEST_CASE("archives that are made to do harm are refused as a whole, and it is said why") {
    const Shop shop;
    shop.run_once();
    const std::string tar =
        "def t(file,*entries):\n"
        "    with tarfile.open(file,'w') as out:\n"
        "        for name,kind,link in entries:\n"
        "            i=tarfile.TarInfo(name); i.type=kind; i.linkname=link\n"
        "            out.addfile(i)\n"
        "R,S,H,F,C,B=tarfile.REGTYPE,tarfile.SYMTYPE,tarfile.LNKTYPE,tarfile.FIFOTYPE,tarfile.CHRTYPE,tarfile.BLKTYPE\n";
    struct Case {
        const char *name, *program, *why;
    };
    const Case cases[] = {
        {"up.tar", "t('up.tar',('good',R,''),('../up',R,''))", "leads out"},
        {"abs.tar", "t('abs.tar',('/etc/cron.d/x',R,''))", "absolute name"},
        {"sym.tar", "t('sym.tar',('l',S,'/etc'))", "may lead out"},
        {"through.tar", "t('through.tar',('l',S,'.'),('l/x',R,''))", "no folder"},
        {"hard.tar", "t('hard.tar',('h',H,'../../etc/passwd'))", "leads out"},
        {"fifo.tar", "t('fifo.tar',('f',F,''))", "pipe"},
        {"device.tar", "t('device.tar',('d',C,''))", "device"},
        {"block.tar", "t('block.tar',('d',B,''))", "device"},
        {"twice.tar", "t('twice.tar',('a',R,''),('a',R,''))", "twice"},
        {"newline.tar", "t('newline.tar',('a\\nb',R,''))", "not every system"},
        {"invalid.tar", "t('invalid.tar',(b'a\\xff'.decode('utf-8','surrogateescape'),R,''))", "not every system"},
        {"long.tar", "t('long.tar',('a'*300,R,''))", "255 bytes"},
        {"up.zip", "z=zipfile.ZipFile('up.zip','w'); z.writestr('../up','x'); z.close()", "leads out"},
        {"abs.zip", "z=zipfile.ZipFile('abs.zip','w'); z.writestr('/etc/x','x'); z.close()", "absolute name"},
        {"twice.zip", "z=zipfile.ZipFile('twice.zip','w'); z.writestr('a','x'); z.writestr('a','y'); z.close()", "twice"},
        {"link.zip", "z=zipfile.ZipFile('link.zip','w'); i=zipfile.ZipInfo('l'); i.external_attr=0o120777<<16; i.create_system=3; z.writestr(i,'/etc/passwd'); z.close()", "may lead out"},
        {"bomb.zip", "z=zipfile.ZipFile('bomb.zip','w',zipfile.ZIP_DEFLATED); z.writestr('zeros',bytes(200<<20)); z.close()", "times its own size"},
        {"cut.zip", "z=zipfile.ZipFile('w.zip','w'); z.writestr('a',os.urandom(90000)); z.close(); open('cut.zip','wb').write(open('w.zip','rb').read()[:50000])", "damaged or not complete"},
        {"crc.zip", "z=zipfile.ZipFile('w.zip','w'); z.writestr('a',b'x'*90000); z.close(); b=bytearray(open('w.zip','rb').read()); b[5000]^=1; open('crc.zip','wb').write(b)", "damaged or not complete"},
        {"cut.tar.gz", "t=tarfile.open('w.tar.gz','w:gz'); i=tarfile.TarInfo('a'); i.size=90000; t.addfile(i,io.BytesIO(os.urandom(90000))); t.close(); open('cut.tar.gz','wb').write(open('w.tar.gz','rb').read()[:40000])", "damaged or not complete"},
        {"no.tar", "open('no.tar','wb').write(os.urandom(5000))", "damaged or not complete"},
        {"none.tar", "open('none.tar','wb')", "empty"},
    };
    for (const auto& one : cases) {
        shop.python(tar + one.program);
        const auto up = shop.cicdctl({"artifact", "upload", "run-1", one.name, one.name, "--unpack", "-o", "json"});
        const std::string name = one.name;
        INFO(name, ": ", up.out, up.err);
        CHECK(up.code == 2);
        CHECK(contains(up.out + up.err, one.why));
        CHECK(contains(up.out + up.err, "ARTIFACT_006"));
    }
    CHECK(shop.artifacts() == 0);
    // The same through the API, by a client that knows nothing of ours; the daemon goes on.
    CHECK(shop.world.cicdctl({"daemon", "status"}).code == 0);
}

TEST_CASE("what is larger than is allowed is refused before it was sent; so is what an archive would become") {
    const Shop shop;
    std::filesystem::create_directories(shop.world.config());
    write_file(shop.world.config() / "config.yaml", "uploads: {size: 10Mi, unpacked: 20Mi}\n");
    shop.run_once();
    shop.python("open('big','wb').write(bytes(11<<20)); open('half','wb').write(os.urandom(9<<20))\n"
                "z=zipfile.ZipFile('a.zip','w',zipfile.ZIP_DEFLATED)\n"
                "for i in range(30): z.writestr(str(i),bytes(1<<20))\n"
                "z.close()");
    const auto big = shop.cicdctl({"artifact", "upload", "run-1", "big", "big"});
    CHECK(big.code == 2);
    CHECK(contains(big.err, "larger than"));
    const auto piped = run({"sh", "-c", program("cicdctl") + " artifact upload run-1 big - < big"}, shop.world.in(shop.folder()));
    INFO(piped.err);
    CHECK(piped.code == 2);
    const auto unpacked = shop.cicdctl({"artifact", "upload", "run-1", "a", "a.zip", "--unpack"});
    CHECK(unpacked.code == 2);
    CHECK(contains(unpacked.err, "room for"));
    CHECK(shop.artifacts() == 0);
    CHECK(shop.cicdctl({"artifact", "upload", "run-1", "half", "half"}).code == 0);
}

TEST_CASE("an upload that breaks off leaves nothing, and the daemon may be killed during one") {
    const Shop shop;
    shop.run_once();
    const std::string talk =
        "import socket,sys\n"
        "s=socket.socket(socket.AF_UNIX); s.connect('" + shop.world.socket().string() + "')\n"
        "s.sendall(b'POST /runs/run-1/artifacts?name=x HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 50000000\\r\\n\\r\\n'+bytes(20000000))\n";
    shop.python(talk + "s.close()");
    CHECK(shop.artifacts() == 0);
    Background sending({"python3", "-c", talk + "print('sent',flush=True)\ntry: s.recv(10)\nexcept OSError: pass"});
    REQUIRE(sending.wait_for_output("sent"));
    shop.world.kill_daemon();
    shop.world.start_daemon();
    CHECK(shop.artifacts() == 0);
    std::size_t objects = 0;
    if (std::filesystem::exists(shop.world.state() / "objects"))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(shop.world.state() / "objects"))
            objects += entry.is_regular_file() ? 1 : 0;
    CHECK(objects == 0);
    CHECK(shop.cicdctl({"artifact", "upload", "run-1", "x", "/dev/null"}).code == 0);
}
