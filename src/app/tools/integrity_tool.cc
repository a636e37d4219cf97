#include <fmt/format.h>

#include "app/option_parser.h"
#include "app/terminal.h"
#include "app/tools/channel_report.h"
#include "app/tools/tool.h"
#include "base/text.h"
#include "channels/file/directory_guard.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

constexpr int kFailed = 1;  // also of the help, as with Flume
constexpr std::string_view kTools = "Please select one of:\n  fcintegritytool  reads a file channel's data folders\n";
constexpr std::string_view kUsage =
    "usage: flume-ng tool fcintegritytool -l <dir>[,<dir>…]\n"
    " -l,--dataDirs <dirs>      the file channel's data folders, with commas between them\n"
    " -e,--eventValidator, -D   of Java classes: without effect\n"
    " -h,--help                 this text\n"
    "It changes nothing, and may run beside an agent: a channel starts in spite of damage. To have it repaired "
    "before:\n"
    "standpipe tool file-channel repair.\n";

struct Line {
  std::vector<std::string> folders;
  bool help = false;
};

Result<Line> parse(std::span<const std::string> arguments) {
  enum : int { kFolders, kValidator, kHelp };
  constexpr SwitchSpec kSwitches[] = {
      {kFolders, "l", "dataDirs", true}, {kValidator, "e", "eventValidator", true}, {kHelp, "h", "help", false}};
  TRY_ASSIGN(const ParsedLine parsed, parse_switches(kSwitches, arguments));
  Line line;
  for (const ParsedSwitch& each : parsed.switches) {
    if (each.id == kHelp) line.help = true;
    if (each.id == kValidator) {
      print(fmt::format("Info: --eventValidator {} has no effect: a Java class can't be loaded here\n", each.value));
    }
    if (each.id != kFolders) continue;
    for (const std::string_view folder : split(each.value, ',')) {
      if (!trim(folder).empty()) line.folders.emplace_back(trim(folder));
    }
  }
  return line;
}

/// Code::invalid in Flume's words where a folder is missing.
Status check_folders(FileSystem& files, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (!files.info(folder).ok()) return {Code::invalid, fmt::format("Data directory, {} does not exist.", folder)};
    if (files.info(fmt::format("{}/{}", folder, file_channel::kOwnerFile)).ok()) continue;
    TRY_ASSIGN(const std::string flume, file_channel::find_flume_file(files, folder));
    if (!flume.empty()) {
      return {Code::invalid, fmt::format("{} was written by Flume, whose own tool checks it; a channel that starts on "
                                         "the folder takes its events over",
                                         flume)};
    }
  }
  return {};
}

std::string summary(const file_channel::Inspection& found) {
  std::uint64_t good = 0;
  for (const auto& directory : found.directories) {
    for (const auto& segment : directory.segments) good += segment.events;
  }
  std::uint64_t corrupt = 0;
  for (const auto& line : found.damages) corrupt += std::max<std::uint64_t>(line.damage.numbers.size(), 1);
  return fmt::format(
      "---------- Summary --------------------\n"
      "Number of Events in the Channel = {}\n"
      "Number of Put Events Processed = {}\n"
      "Number of Valid Put Events = {}\n"
      "Number of Invalid Put Events = 0\n"
      "Number of Put Events that threw Exception during validation = 0\n"
      "Number of Corrupt Events = {}\n"
      "---------------------------------------\n",
      good + corrupt, good, good, corrupt);
}

int run_integrity_tool(std::span<const std::string> arguments) {
  const auto line = parse(arguments);
  if (!line.ok()) return fail(line.status().message(), kFailed);
  if (line->help) {
    print(kUsage);
    return kFailed;
  }
  if (line->folders.empty()) return fail(fmt::format("-l is missing: the data folders\n{}", kUsage), kFailed);
  FileSystem& files = real_file_system();
  if (Status there = check_folders(files, line->folders); !there.ok()) return fail(there.message(), kFailed);
  ChannelLook look;
  look.folders.data = line->folders;
  look.holder = holder_of_folder(line->folders.front());
  const auto found = file_channel::inspect(files, look.folders, {.read_records = true, .in_use = !look.holder.empty()});
  if (!found.ok()) return fail(found.status().message(), kFailed);
  print(render_damage(*found, look));
  print(summary(*found));
  return 0;
}

}  // namespace

int run_flume_tool(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    print(kTools);
    return kFailed;
  }
  if (equals_ignoring_case(arguments.front(), "fcintegritytool")) return run_integrity_tool(arguments.subspan(1));
  return fail(fmt::format("Cannot find tool matching {}. {}", arguments.front(), kTools), kFailed);
}

}  // namespace standpipe
