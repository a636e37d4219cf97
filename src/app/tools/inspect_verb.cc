#include "app/terminal.h"
#include "app/tools/channel_report.h"
#include "app/tools/verbs.h"
#include "base/clock.h"

namespace standpipe {

namespace {

int run_inspect(std::span<const std::string> arguments) {
  const auto look = parse_channel_look(arguments);
  if (!look.ok()) return fail(look.status().message(), kExitUsage);
  const auto found = look_at_channel(*look, false);
  if (!found.ok()) return fail(found.status().message(), kExitUsage);
  SystemClock clock;
  print(render_channel(*found, *look, clock.now_ms()));
  return 0;
}

}  // namespace

const FileChannelVerb kInspectVerb{
    "inspect", "[--format text|json] DIR…",
    "what stands in a channel's folders: segments, events waiting, keys, snapshot",
    "Reads headers and the newest segments only, and changes nothing. It may look while an agent runs: what sinks are\n"
    "working on counts as waiting, as the disk knows no leases.\n"
    "Exit status 2: the folders are no channel, or can't be read.\n",
    &run_inspect};

}  // namespace standpipe
