#pragma once

#include "common/pipeline/front.hpp"
#include "common/pipeline/node.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

/// What the readers of a GitLab or Bitbucket file share: nodes of several files, places in them, and the report.
namespace cicd::pipeline::gitlab {

class Reader {
public:
    explicit Reader(Front& front) : front_(front) {}

    /// Parses a file and keeps its nodes; null where it cannot be read, and told.
    const Node* load(std::string_view text, const std::string& file);

    void count(int constructs = 1) { front_.report.constructs += constructs; }
    void approximated(const Node& at, std::string what, std::string reason) { find(Carried::approximated, at, std::move(what), std::move(reason)); }
    void unsupported(const Node& at, std::string what, std::string reason) { find(Carried::unsupported, at, std::move(what), std::move(reason)); }
    void manual(const Node& at, std::string what, std::string reason) { find(Carried::manual, at, std::move(what), std::move(reason)); }
    /// Told once for its place, however many jobs take it from there.
    void find(Carried kind, const Node& at, std::string what, std::string reason);
    /// The same for what is about the whole file, wherever it was found first.
    void find_of_file(Carried kind, const Node& at, std::string what, std::string reason);
    void error(const Node& at, std::string message, std::string suggestion = {}) { problem(Severity::error, at, std::move(message), std::move(suggestion)); }
    void warning(const Node& at, std::string message, std::string suggestion = {}) { problem(Severity::warning, at, std::move(message), std::move(suggestion)); }
    /// What the language refuses, as long as all files were read; else something that a missing file may well hold.
    void missing(const Node& at, const std::string& what, const std::string& message, const std::string& suggestion = {});
    bool complete = true;  ///< every file that is named was read
    std::optional<model::Mark> about;  ///< the job that is being read

    [[nodiscard]] model::Mark mark(const Node& at) const;

    /// A scalar as GitLab makes it a text; empty, with an error, for lists and maps.
    std::string text(const Node& at);
    /// All scalars of lists in lists.
    model::Strings texts(const Node& at);

    // Nodes that are no file's.
    Node& make(NodeKind kind, const Node& like);
    const Node* make_text(std::string text, const Node& like);
    /// Maps member by member; of all else, the one above.
    const Node* merge(const Node& below, const Node& above, int depth = 0);
    const Node* empty_map();
    /// Items of lists in lists; one for what is no list.
    std::vector<const Node*> flat(const Node& at);

private:
    void problem(Severity severity, const Node& at, std::string message, std::string suggestion);
    void flatten(const Node& at, std::vector<const Node*>& into, int depth);

    Front& front_;
    std::vector<std::string> files_;
    std::deque<Document> documents_;
    std::deque<Node> made_;
    std::map<std::tuple<std::string, int, int, std::string>, std::size_t> told_;  ///< places in the report
    std::set<std::string> told_of_file_;
    std::set<std::tuple<int, int, int, std::string>> complained_;
};

/// `extends` and `!reference` of a whole configuration, in that order, as GitLab resolves them.
const Node* resolve(Reader& reader, const Node& root);

/// A scalar as it is read and written again: 3.10 is "3.1".
std::string scalar_text(const Node& node);

}  // namespace cicd::pipeline::gitlab
