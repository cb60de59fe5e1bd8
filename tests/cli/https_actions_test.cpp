#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

using namespace cicd;
using namespace cicd::test;

/// Actions from a server of https, which is git's own on this machine, with a certificate that nobody else trusts.
namespace {

namespace fs = std::filesystem;

// git http-backend is a CGI program.
constexpr const char* server_program = R"py(
import http.server, os, ssl, subprocess, sys
root, certificate, key, told = sys.argv[1:5]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass
    def body(self):
        if 'chunked' not in self.headers.get('Transfer-Encoding', ''):
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size)); self.rfile.readline()
        self.rfile.readline()
        return b''.join(parts)
    def serve(self):
        path, _, query = self.path.partition('?')
        env = dict(os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get('Content-Type', ''),
                   HTTP_CONTENT_ENCODING=self.headers.get('Content-Encoding', ''), GIT_CONFIG_GLOBAL='/dev/null',
                   GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*')
        out = subprocess.run(['git', 'http-backend'], input=self.body(), env=env, capture_output=True).stdout
        head, _, rest = out.partition(b'\r\n\r\n')
        fields = [line.split(': ', 1) for line in head.decode().split('\r\n') if ': ' in line]
        self.send_response(int(dict(fields).get('Status', '200 OK').split()[0]))
        for name, value in fields:
            if name != 'Status': self.send_header(name, value)
        self.send_header('Content-Length', str(len(rest))); self.end_headers(); self.wfile.write(rest)
    do_GET = do_POST = serve
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(told + '.new', 'w') as file: file.write(str(server.server_address[1]))
os.rename(told + '.new', told)
server.serve_forever()
)py";

/// Why there can be none here; empty: there can.
std::string why_no_server() {
    for (const char* name : {"python3", "openssl", "git"})
        if (run({"sh", "-c", std::string("command -v ") + name}).code != 0) return std::string(name) + " is not installed";
    return run({"git", "http-backend"}).err.find("not a git command") == std::string::npos ? "" : "git http-backend is not installed";
}

/// Repositories below `root`, at https://localhost:PORT.
class Server {
public:
    /// `name`: whom the certificate is for.
    explicit Server(const fs::path& root, const std::string& name = "localhost") {
        const auto made = run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
                               "-keyout", (folder_ / "key.pem").string(), "-out", certificate().string()});
        INFO(made.err);
        REQUIRE(made.code == 0);
        write_file(folder_ / "server.py", server_program);
        server_ = std::make_unique<Background>(std::vector<std::string>{"python3", (folder_ / "server.py").string(), root.string(), certificate().string(),
                                                                        (folder_ / "key.pem").string(), (folder_ / "port").string()});
        REQUIRE(eventually([&] { return fs::exists(folder_ / "port"); }));
    }
    [[nodiscard]] std::string address() const { return "https://localhost:" + read_file(folder_ / "port"); }
    [[nodiscard]] fs::path certificate() const { return folder_ / "certificate.pem"; }

private:
    TempDir folder_;
    std::unique_ptr<Background> server_;
};

const std::string file = ".github/workflows/ci.yml";
const std::string workflow = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: some/one/sub@v1\n      - uses: other/two@v1\n";

std::string says(const std::string& words) { return "runs:\n  using: composite\n  steps: [{shell: sh, run: 'echo " + words + "'}]\n"; }

struct Scene {
    Scene() {
        for (const auto& [name, path, words] : {std::tuple("some/one", "sub/action.yml", "first words"), std::tuple("other/two", "action.yml", "second words")}) {
            const GitRepository made{{path, says(words)}};
            made.git({"tag", "v1"});
            fs::create_directories((root / name).parent_path());
            made.git({"clone", "-q", "--bare", made.path().string(), (root / name).string()});
        }
    }
    Outcome run_from(const std::string& server, const fs::path& trusted) {
        auto here = world.in(repository.path());
        here.env["CICD_ACTIONS_SERVER"] = server;  // tests have none otherwise
        here.env["GIT_SSL_CAINFO"] = "";  // which counts more, where somebody set it
        here.env["SSL_CERT_FILE"] = trusted.string();
        return world.cicdctl({"run", "--strict"}, here);
    }
    TempDir root;
    World world;
    GitRepository repository{{file, workflow}};
};

}  // namespace

TEST_CASE("actions are fetched from a server of https whose certificate is trusted") {
    if (const auto why = why_no_server(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    Scene scene;
    const Server server(scene.root.path());
    const auto ran = scene.run_from(server.address(), server.certificate());
    INFO(ran.out, ran.err);
    CHECK(ran.code == 0);
    CHECK(contains(ran.out, "first words"));
    CHECK(contains(ran.out, "second words"));
    CHECK(contains(ran.err, "some/one@v1 is "));
}

TEST_CASE("a server whose certificate nobody here trusts, or which is somebody else's, is told from one that is not there") {
    if (const auto why = why_no_server(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    Scene scene;
    SUBCASE("signed by nobody known") {
        const Server server(scene.root.path());
        const auto ran = scene.run_from(server.address(), "");
        CHECK(ran.code == 2);
        CHECK(contains(ran.err, "its certificate is not trusted here"));
        CHECK(!contains(ran.err, "words"));
    }
    SUBCASE("of another name") {
        const Server server(scene.root.path(), "elsewhere.example");
        const auto ran = scene.run_from(server.address(), server.certificate());
        CHECK(ran.code == 2);
        CHECK(contains(ran.err, "its certificate is not trusted here"));
    }
    SUBCASE("a repository that it does not have") {
        const Server server(scene.root.path());
        fs::remove_all(scene.root / "other");
        const auto ran = scene.run_from(server.address(), server.certificate());
        INFO(ran.err);
        CHECK(ran.code == 2);
        CHECK(contains(ran.err, "other/two"));
        CHECK(!contains(ran.err, "some/one/sub@v1: "));
    }
}
