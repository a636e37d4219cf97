#include "app/terminal.h"
#include "app/tools/channel_report.h"
#include "app/tools/verbs.h"

namespace standpipe {

namespace {

constexpr int kDamaged = 1;

int run_verify(std::span<const std::string> arguments) {
  const auto look = parse_channel_look(arguments);
  if (!look.ok()) return fail(look.status().message(), kExitUsage);
  const auto found = look_at_channel(*look, true);
  if (!found.ok()) return fail(found.status().message(), kExitUsage);
  print(render_damage(*found, *look));
  return is_damaged(*found) ? kDamaged : 0;
}

}  // namespace

const FileChannelVerb kVerifyVerb{
    "verify", "[--format text|json] [--key NAME=FILE]… DIR…", "reads every record and reports each damage",
    "Changes nothing, and may run while an agent does: what it is just writing is no damage. Records that are "
    "encrypted\n"
    "are checked without a key; with --key they are opened too.\n"
    "Exit status: 0 nothing that anybody waits for is damaged, 1 something is, 2 the folders are no channel.\n",
    &run_verify};

}  // namespace standpipe
