#pragma once

#include "common/pipeline/gitlab/tree.hpp"

#include <string>

/// Pipes: programs in images, which a script runs with variables of their own.
namespace cicd::pipeline::bitbucket {

/// "atlassian/ftp-deploy:0.3.1" is the image bitbucketpipelines/ftp-deploy:0.3.1; "docker://x" is the image x.
std::string pipe_image(const std::string& pipe);
/// Runs what the pipe's image is for, as Bitbucket's templates for pipes have it: /pipe.sh or /pipe.py.
model::Step pipe_step(gitlab::Reader& r, const Node& item);
/// The files of the step, for its next part.
model::Artifact all_files(const std::string& job, const model::Mark& mark);

}  // namespace cicd::pipeline::bitbucket
