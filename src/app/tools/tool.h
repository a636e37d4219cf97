#pragma once

#include <span>
#include <string>
#include <string_view>

namespace standpipe {

/// `standpipe tool file-channel <verb> …`: one of these, each in a file of its own, and all in the table of
/// file_channel_tool.cc.
struct FileChannelVerb {
  std::string_view name;       ///< "export"
  std::string_view arguments;  ///< "--to avro|flume --output PATH DIR…"
  std::string_view summary;    ///< one line of the help
  std::string_view help;       ///< what `<verb> --help` says beyond it: whole lines
  /// `arguments`: what follows the verb. Returns the exit status.
  int (*run)(std::span<const std::string> arguments);
};

/// `standpipe tool …`: returns the exit status, 2 where the command line makes no sense.
int run_tool(std::span<const std::string> arguments);

/// `standpipe tool file-channel …`: what follows it.
int run_file_channel_tool(std::span<const std::string> arguments);

/// `flume-ng tool fcintegritytool -l DIR,…`: what follows `tool`. Exit status 1 where Flume's has it.
int run_flume_tool(std::span<const std::string> arguments);

}  // namespace standpipe
