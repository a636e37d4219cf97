#include "app/terminal.h"
#include "app/tools/channel_report.h"
#include "app/tools/tool_environment.h"
#include "app/tools/verbs.h"
#include "channels/file/repair.h"

namespace standpipe {

namespace {

int run_repair(std::span<const std::string> arguments) {
  const auto look = parse_channel_look(arguments);
  if (!look.ok()) return fail(look.status().message(), kExitUsage);
  const auto world = ToolEnvironment::make("file-channel repair");
  if (!world.ok()) return fail(world.status().message(), kExitUsage);
  const auto repaired = file_channel::repair((*world)->environment(), look->folders);
  if (!repaired.ok()) return fail(repaired.status().message(), kExitUsage);
  for (const std::string& line : repaired->done) print(line + "\n");
  if (repaired->done.empty()) print("nothing to repair\n");
  return 0;
}

}  // namespace

const FileChannelVerb kRepairVerb{
    "repair", "DIR…", "cuts torn tails, copies damaged bytes to damaged/ and notes what is lost",
    "No agent may run on the folders. Events that check are never touched; what is blanked or cut is in damaged/ "
    "first.\n"
    "A channel starts without it, too, and does the same when it comes to the place; after a repair it has nothing to\n"
    "report. Doing it again changes nothing.\n"
    "Exit status 2: not done, the message says why; what was done before that is good.\n",
    &run_repair};

}  // namespace standpipe
