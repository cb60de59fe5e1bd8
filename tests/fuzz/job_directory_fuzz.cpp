// A job directory that holds anything: the first byte says which file; `l` is a log and its index, cut by a length.
#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

using namespace cicd;

namespace {

/// In memory where there is such a place: the readers are under test, not the disk.
struct Directory {
    Directory() {
        const char* memory = "/dev/shm";
        std::error_code ignored;
        const auto base = ::access(memory, W_OK) == 0 ? std::filesystem::path(memory)
                                                      : std::filesystem::temp_directory_path(ignored);
        std::string pattern = (base / "cicd-fuzz-XXXXXX").string();
        fuzz::require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
        paths.root = pattern;
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(paths.root, ignored);
    }
    job::Paths paths;
};

void write(const std::filesystem::path& path, std::string_view bytes) {
    const job::File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const auto written = file.is_open() ? ::write(file.fd(), bytes.data(), bytes.size()) : -1;
    fuzz::require(written == static_cast<ssize_t>(bytes.size()), "a file can be written", path.string());
}

void try_log(const job::Paths& paths, std::string_view input) {
    const std::size_t records = std::min<std::size_t>(fuzz::take_byte(input) % 16, input.size() / 24);
    const std::size_t odd = fuzz::take_byte(input) % 24;
    const auto index = input.substr(0, std::min(input.size(), records * 24 + odd));
    write(paths.index(), index);
    write(paths.log(), input.substr(index.size()));
    job::LogReader reader(paths);
    const auto count = reader.line_count();
    fuzz::require(count.has_value() && *count == index.size() / 24, "every whole record is a line");
    for (std::uint64_t first = 0; first <= *count; ++first) {
        const auto lines = reader.read(first, 4, 4096);
        if (!lines) {
            fuzz::require_good(lines.error());
            continue;
        }
        fuzz::require(lines->size() <= 4, "not more lines than asked for");
        std::size_t bytes = 0;
        for (const auto& line : *lines) bytes += line.text.size();
        fuzz::require(bytes <= input.size() + index.size(), "no byte is given twice");
        for (std::size_t i = 0; i < lines->size(); ++i)
            fuzz::require((*lines)[i].number == first + i, "lines are numbered in order");
    }
}

void try_journal(const job::Paths& paths, std::string_view input) {
    write(paths.journal(), input);
    std::uint64_t offset = 0;
    const auto entries = job::read_journal(paths, offset);
    fuzz::require(offset <= input.size(), "the offset is inside the journal");
    if (!entries) return fuzz::require_good(entries.error());
    const auto newline = input.rfind('\n');
    fuzz::require(offset == (newline == std::string_view::npos ? 0 : newline + 1), "every complete line is taken");
    const auto more = job::read_journal(paths, offset);
    fuzz::require(more.has_value() && more->empty(), "nothing is read twice");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Directory directory;
    const auto& paths = directory.paths;
    auto input = fuzz::as_text(data, size);
    switch (fuzz::take_byte(input)) {
        case 'l': try_log(paths, input); break;
        case 'j': try_journal(paths, input); break;
        case 's': {
            write(paths.spec(), input);
            const auto spec = job::read_spec(paths);
            if (!spec) fuzz::require_good(spec.error());
            break;
        }
        case 'e': {
            write(paths.exit(), input);
            const auto exit = job::read_exit(paths);
            if (!exit) fuzz::require_good(exit.error());
            break;
        }
        case 'c':
            write(paths.cancel(), input);
            fuzz::require(job::read_cancel(paths).has_value(), "a cancel request that is there is one");
            break;
        case 'p':
            write(paths.lock(), {});
            write(paths.pid(), input);
            fuzz::require(job::runner_status(paths).liveness != job::RunnerLiveness::alive, "a free lock is no life");
            break;
        default: break;
    }
    return 0;
}
