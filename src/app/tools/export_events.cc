#include <fmt/format.h>

#include "app/option_parser.h"
#include "app/terminal.h"
#include "app/tools/channel_report.h"
#include "app/tools/tool.h"
#include "app/tools/tool_environment.h"
#include "app/tools/verbs.h"
#include "channels/file/export.h"
#include "channels/file/inspection.h"
#include "channels/file/key_source.h"
#include "channels/file/locate.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

using namespace file_channel;

constexpr int kExitFailed = 1;
constexpr int kExitDamaged = 3;

struct ExportLine {
  std::string to;
  std::string output;
  KeyRing keys;
  std::vector<std::string> folders;
};

Result<ExportLine> parse(FileSystem& files, std::span<const std::string> arguments) {
  enum : int { kTo, kOutput, kKey };
  constexpr SwitchSpec kSwitches[] = {{kTo, "", "to", true}, {kOutput, "o", "output", true}, {kKey, "", "key", true}};
  TRY_ASSIGN(const ParsedLine parsed, parse_switches(kSwitches, arguments));
  ExportLine line;
  KeySource keys;
  for (const ParsedSwitch& each : parsed.switches) {
    if (each.id == kTo) line.to = each.value;
    if (each.id == kOutput) line.output = each.value;
    if (each.id == kKey) TRY(add_key(each.value, keys));
  }
  TRY_ASSIGN(line.keys, load_keys(keys, files));
  while (line.output.size() > 1 && line.output.ends_with('/')) line.output.pop_back();
  line.folders = parsed.rest;
  if (line.to != "avro" && line.to != "flume") return Status(Code::invalid, "--to wants avro or flume");
  if (line.output.empty()) return Status(Code::invalid, "--output names the file or folder to make");
  if (line.folders.empty()) return Status(Code::invalid, "name the channel's folders");
  return line;
}

// These say before the export what to do about it on this command line; the channel would name an agent's properties.

Status check_nobody_runs(const Folders& folders) {
  std::vector<std::string> all = folders.data;
  all.push_back(folders.checkpoint);
  for (const std::string& folder : all) {
    const std::string holder = holder_of_folder(folder);
    if (holder.empty()) continue;
    return {Code::unavailable, fmt::format("{} is in use by {}: stop the agent first", folder, holder)};
  }
  return {};
}

Status check_key(const SegmentReport& segment, const KeyRing& keys) {
  if (!segment.encrypted) return {};
  if (!segment.header && keys.empty()) {
    return {Code::invalid, fmt::format("{} holds encrypted events, and its header, which names the key, is damaged: "
                                       "give the keys that it may be with --key NAME=FILE",
                                       segment.path)};
  }
  if (!segment.header || keys.find(segment.header->key_name) != nullptr) return {};
  return {Code::invalid, fmt::format("{0} holds events encrypted with key {1}: say with --key {1}=FILE where it is",
                                     segment.path, segment.header->key_name)};
}

Status check_keys(FileSystem& files, const Folders& folders, const KeyRing& keys) {
  TRY_ASSIGN(const Inspection found, inspect(files, folders, {}));
  for (const DirectoryReport& directory : found.directories) {
    for (std::size_t i = 0; i < directory.segments.size(); ++i) {
      const bool is_last = i + 1 == directory.segments.size();
      const Range numbers{directory.segments[i].first, is_last ? found.next : directory.segments[i + 1].first};
      if (!found.gone.covers(numbers)) TRY(check_key(directory.segments[i], keys));
    }
  }
  return {};
}

Result<Exported> run_export(const ExportLine& line, Environment& environment) {
  TRY_ASSIGN(const Folders folders, locate_folders(environment.files, line.folders));
  TRY(check_nobody_runs(folders));
  TRY(check_keys(environment.files, folders, line.keys));
  TRY_ASSIGN(const auto target, line.to == "avro" ? export_to_avro(environment.files, line.output)
                                                  : export_to_flume(environment.files, line.output));
  return export_events(folders, line.keys, environment, *target);
}

int run(std::span<const std::string> arguments) {
  const auto world = ToolEnvironment::make("file-channel export");
  if (!world.ok()) return fail(world.status().message(), kExitFailed);
  Environment& environment = (*world)->environment();
  const auto line = parse(environment.files, arguments);
  if (!line.ok()) return fail(line.status().message(), kExitUsage);
  const auto exported = run_export(*line, environment);
  if (!exported.ok()) return fail(exported.status().message(), kExitFailed);
  print(fmt::format("exported {} events to {}\n", exported->events, line->output));
  if (line->to == "flume") {
    print(
        fmt::format("a Flume channel delivers them with\n  checkpointDir = {0}/checkpoint\n  dataDirs = {0}/data\n"
                    "  capacity = {1} or more\n",
                    line->output, exported->events));
  }
  if (exported->missing > 0) {
    print(fmt::format("{} events are nowhere on disk: they were never acknowledged, or were lost to damage\n",
                      exported->missing));
  }
  if (exported->damaged + exported->lost == 0) return 0;
  return fail(fmt::format("{} damaged events were left out, {} more are lost with the segments they were in",
                          exported->damaged, exported->lost),
              kExitDamaged);
}

}  // namespace

const FileChannelVerb kExportVerb{
    .name = "export",
    .arguments = "--to avro|flume --output PATH [--key NAME=FILE]… DIR…",
    .summary = "write all events that wait to a file or folder that others read; the channel keeps them",
    .help =
        "  --to avro     PATH becomes an Avro container file of headers and body, as the serializer avro_event writes\n"
        "  --to flume    PATH becomes a folder with checkpoint and data of a file channel of Flume's\n"
        "  --output, -o  PATH, which must not exist\n"
        "  --key         for encrypted events: the key NAME is in FILE; repeatable\n\n"
        "Nothing is taken out of the channel: when the events are where they should be, remove the channel's folders.\n"
        "Exit status: 0 all written, 1 failed and nothing written, 2 wrong arguments, 3 written but for damaged "
        "or lost events.\n",
    .run = &run,
};

}  // namespace standpipe
