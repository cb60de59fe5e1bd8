#include "cli/commands/commands.hpp"
#include "cli/lists.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

#include <filesystem>

namespace cicd::cli {
namespace {

constexpr Operand one_image[] = {{.name = "IMAGE"}};
constexpr Operand import_operands[] = {{.name = "NAME"}, {.name = "PATH", .completes = Completes::file}};
constexpr Option import_options[] = {
    {.names = "--tag", .value = "TAG", .help = "Which one, where a layout holds several"}};
constexpr Example import_examples[] = {
    {"cicdctl image import tool:1.2 tool.tar", "what 'docker save' or 'podman save' wrote"},
    {"cicdctl image import base ./layout", "an OCI image layout"},
    {"mmdebstrap --variant=minbase bookworm base.tar && cicdctl image import debian:12 base.tar", "of Debian's packages"}};

Result<ExitCode> list(Session& session, const Arguments&) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto images, daemon->list_images());
    if (session.structured()) session.print(codec::encode(contract::ImageList{images}));
    else if (images.empty()) session.note("There are no images; 'cicdctl image import NAME PATH' takes one.");
    else print_images(session, images);
    return ExitCode::success;
}

Result<ExitCode> import(Session& session, const Arguments& arguments) {
    contract::ImportImage request;
    request.name = arguments.operand(0);
    std::error_code ignored;
    request.path = std::filesystem::absolute(arguments.operand(1), ignored).lexically_normal().string();
    request.tag = arguments.text("--tag");
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto image, daemon->import_image(request));
    print_image(session, image);
    return ExitCode::success;
}

constexpr Operand build_operands[] = {{.name = "NAME"}};
constexpr Option build_options[] = {
    {.names = "--packages", .value = "A,B", .help = "Besides what every system has"},
    {.names = "--suite", .value = "SUITE", .help = "Such as bookworm; this machine's if nothing is said"},
    {.names = "--mirror", .value = "URL", .help = "Where packages come from; this machine's sources if nothing is said"},
    {.names = "--variant", .value = "NAME", .help = "One of mmdebstrap's instead of minbase; extract only unpacks the packages"},
    {.names = "--trusted", .help = "The mirror's packages need not be signed"}};
constexpr Example build_examples[] = {
    {"cicdctl image build base", "a minimal system, for 'image: base'"},
    {"cicdctl image build python --packages python3,python3-pip,git", "with packages in it"}};

Result<ExitCode> build(Session& session, const Arguments& arguments) {
    contract::BuildImage request;
    request.name = arguments.operand(0);
    for (const auto& package : split(arguments.text("--packages"), ','))
        if (!trim(package).empty()) request.packages.emplace_back(trim(package));
    request.suite = arguments.text("--suite");
    request.mirror = arguments.text("--mirror");
    request.variant = arguments.text("--variant");
    request.trusted = arguments.has("--trusted");
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto image, daemon->build_image(request, [&](const std::string& line) { session.note(line); }));
    print_image(session, image);
    return ExitCode::success;
}

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto image, daemon->show_image(arguments.operand(0)));
    print_image(session, image);
    return ExitCode::success;
}

Result<ExitCode> remove(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_CHECK(daemon->remove_image(arguments.operand(0)));
    session.note("Removed " + arguments.operand(0) + ".");
    return ExitCode::success;
}

}  // namespace

constinit const Command image_group{.name = "image", .summary = "Images that jobs run in"};
constinit const Command image_list{.name = "image list", .summary = "List the images on this machine", .handler = list};
constinit const Command image_import{
    .name = "image import",
    .summary = "Take an image from an OCI layout or archive, a docker archive, or the tar of a root",
    .description = "It is unpacked once; pipelines use it by its name: 'image: NAME'.",
    .operands = import_operands,
    .options = import_options,
    .examples = import_examples,
    .handler = import};
constinit const Command image_build{
    .name = "image build",
    .summary = "Make an image of Debian's packages",
    .description = "By mmdebstrap on the daemon's machine, so that no registry is needed. The first time takes as long as the mirror does.",
    .operands = build_operands,
    .options = build_options,
    .examples = build_examples,
    .handler = build};
constinit const Command image_show{
    .name = "image show", .summary = "Show an image", .description = "IMAGE is a name or a digest.", .operands = one_image, .handler = show};
constinit const Command image_rm{
    .name = "image rm",
    .summary = "Remove an image's name, and the image with its last one",
    .description = "An image that a job uses stays.",
    .operands = one_image,
    .handler = remove};

}  // namespace cicd::cli
