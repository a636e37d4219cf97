#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "app/terminal.h"
#include "app/tools/tool.h"
#include "app/tools/verbs.h"

namespace standpipe {

namespace {

/// All verbs, as the help lists them.
const std::vector<const FileChannelVerb*>& verbs() {
  static const std::vector<const FileChannelVerb*> kVerbs{&kInspectVerb, &kVerifyVerb, &kRepairVerb, &kExportVerb};
  return kVerbs;
}

std::string usage() {
  std::string text = "Usage: standpipe tool file-channel <verb> [options] DIR…\n\nverbs:\n";
  for (const FileChannelVerb* verb : verbs()) text += fmt::format("  {:<9} {}\n", verb->name, verb->summary);
  text +=
      "\nDIR…: the channel's folders, checkpointDir and all dataDirs in any order, or one folder that has them in it.\n"
      "Beside a running agent: inspect and verify only. `<verb> --help` says more.\n";
  return text;
}

bool is_help(const std::string& argument) { return argument == "--help" || argument == "-h" || argument == "help"; }

}  // namespace

int run_file_channel_tool(std::span<const std::string> arguments) {
  if (!arguments.empty() && is_help(arguments.front())) {
    print(usage());
    return 0;
  }
  if (arguments.empty()) return fail("no verb\n" + usage(), kExitUsage);
  const auto is_wanted = [&](const FileChannelVerb* verb) { return verb->name == arguments.front(); };
  const auto found = std::find_if(verbs().begin(), verbs().end(), is_wanted);
  if (found == verbs().end()) return fail(fmt::format("unknown verb '{}'\n{}", arguments.front(), usage()), kExitUsage);
  const FileChannelVerb& verb = **found;
  const auto rest = arguments.subspan(1);
  if (std::any_of(rest.begin(), rest.end(), [](const std::string& each) { return each == "--help" || each == "-h"; })) {
    print(fmt::format("Usage: standpipe tool file-channel {} {}\n{}\n\n{}", verb.name, verb.arguments, verb.summary,
                      verb.help));
    return 0;
  }
  return verb.run(rest);
}

int run_tool(std::span<const std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "file-channel") return run_file_channel_tool(arguments.subspan(1));
  constexpr std::string_view kUsage =
      "Usage: standpipe tool file-channel <verb> …; file-channel --help lists the verbs\n";
  if (!arguments.empty() && is_help(arguments.front())) {
    print(kUsage);
    return 0;
  }
  return fail(fmt::format("{}\n{}", arguments.empty() ? "no tool" : "unknown tool '" + arguments.front() + "'", kUsage),
              kExitUsage);
}

}  // namespace standpipe
