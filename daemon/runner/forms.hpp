#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

/// The texts as which a secret's value may appear in output: itself (also without white space around it), each of its
/// lines that has four bytes or more, and (from four bytes on) base64 at all three alignments, whole and wrapped as
/// base64(1) and openssl wrap it, base64url, percent-encoded, JSON-escaped and quoted for a shell. None is empty; none is
/// there twice.
std::vector<std::string> forms_of(std::string_view value);

}  // namespace cicd::runner
