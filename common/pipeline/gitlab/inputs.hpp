#pragma once

#include "common/pipeline/gitlab/tree.hpp"

#include <string>
#include <string_view>

namespace cicd::pipeline::gitlab {

/// A file may begin with a document of its own that says what it is given: `spec: {inputs: …}`.
struct Parts {
    std::string header;  ///< empty: there is none
    std::string body;    ///< with its lines where they were
};
Parts split_header(std::string_view text);

/// The file with its inputs in the place of `$[[ inputs.name ]]`. `header` and `given` may be null.
const Node* with_inputs(Reader& reader, const Node& root, const Node* header, const Node* given);

}  // namespace cicd::pipeline::gitlab
