#include "app/tools/channel_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/option_parser.h"
#include "channels/file/locate.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

using file_channel::DamagedPlace;
using file_channel::DirectoryReport;
using file_channel::Inspection;
using file_channel::SegmentReport;
using Json = nlohmann::ordered_json;

std::string time_text(std::int64_t time_ms) {
  if (time_ms == 0) return "unknown";
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string age_text(std::int64_t age_ms) {
  const std::int64_t seconds = std::max<std::int64_t>(0, age_ms / 1000);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86'400);
}

std::uint64_t size_of(const DirectoryReport& directory) {
  std::uint64_t total = 0;
  for (const SegmentReport& segment : directory.segments) total += segment.size;
  return total;
}

std::string key_of(const SegmentReport& segment) {
  if (segment.header) return segment.header->key_name;
  return segment.encrypted ? "(its name is damaged)" : "";
}

std::string numbers_text(const file_channel::Range& numbers) {
  if (numbers.size() == 0) return "";
  if (numbers.size() == 1) return fmt::format("event {}", numbers.first);
  return fmt::format("events {} to {}", numbers.first, numbers.end - 1);
}

std::string damage_text(const DamagedPlace& line) {
  const file_channel::Damage& damage = line.damage;
  const std::string numbers = numbers_text(damage.numbers);
  std::string text = fmt::format("{}: {} bytes at {} ({})", line.path, damage.bytes, damage.offset, damage.what);
  if (!numbers.empty()) text += ", " + numbers;
  if (!numbers.empty() && line.waiting == 0) text += ", which sinks have taken already";
  return text;
}

Json damage_json(const DamagedPlace& line) {
  return {{"file", line.path},
          {"offset", line.damage.offset},
          {"bytes", line.damage.bytes},
          {"what", line.damage.what},
          {"firstEvent", line.damage.numbers.first},
          {"events", line.damage.numbers.size()},
          {"waitingEvents", line.waiting}};
}

Json damages_json(const std::vector<DamagedPlace>& lines) {
  Json array = Json::array();
  for (const DamagedPlace& line : lines) array.push_back(damage_json(line));
  return array;
}

Json ranges_json(const std::vector<file_channel::Range>& ranges) {
  Json array = Json::array();
  for (const file_channel::Range& range : ranges) array.push_back({{"first", range.first}, {"events", range.size()}});
  return array;
}

Json problems_json(const Inspection& found) {
  Json array = Json::array();
  for (const auto& problem : found.problems) array.push_back({{"file", problem.path}, {"what", problem.what}});
  for (const std::string& path : found.absent) array.push_back({{"file", path}, {"what", "not among the folders"}});
  return array;
}

Json segment_json(const SegmentReport& segment) {
  return {{"file", segment.path},
          {"bytes", segment.size},
          {"dataEnd", segment.end},
          {"firstNumber", segment.first},
          {"made", segment.header ? segment.header->made_ms : 0},
          {"key", key_of(segment)},
          {"headerGood", segment.header.has_value()}};
}

std::string channel_json(const Inspection& found, const ChannelLook& look, std::int64_t now_ms) {
  Json object = {{"agent", found.owner.agent},
                 {"channel", found.owner.channel},
                 {"id", file_channel::to_hex(found.owner.id)},
                 {"inUseBy", look.holder},
                 {"eventsWaiting", found.waiting},
                 {"oldestEventAgeAtMostMs", found.oldest_segment_ms == 0 ? 0 : now_ms - found.oldest_segment_ms},
                 {"nextNumber", found.next},
                 {"gone", ranges_json(found.gone.ranges())},
                 {"snapshotGeneration", found.generation},
                 {"snapshotTime", found.snapshot_ms}};
  object["dataDirs"] = Json::array();
  for (const DirectoryReport& directory : found.directories) {
    Json one = {{"path", directory.path},
                {"bytes", size_of(directory)},
                {"damagedCopies", directory.damaged_copies},
                {"segments", Json::array()}};
    for (const SegmentReport& segment : directory.segments) one["segments"].push_back(segment_json(segment));
    object["dataDirs"].push_back(std::move(one));
  }
  object["problems"] = problems_json(found);
  return object.dump(2) + "\n";
}

std::string damage_json_text(const Inspection& found) {
  std::uint64_t records = 0;
  for (const DirectoryReport& directory : found.directories) {
    for (const SegmentReport& segment : directory.segments) records += segment.events;
  }
  const Json object = {{"channel", found.owner.channel},         {"events", records},
                       {"closedEvents", found.closed},           {"damaged", is_damaged(found)},
                       {"damages", damages_json(found.damages)}, {"unreadable", damages_json(found.unreadable)},
                       {"missing", ranges_json(found.missing)},  {"torn", damages_json(found.torn)},
                       {"problems", problems_json(found)}};
  return object.dump(2) + "\n";
}

std::string problems_text(const Inspection& found) {
  std::string text;
  for (const auto& problem : found.problems) text += fmt::format("problem: {}: {}\n", problem.path, problem.what);
  for (const std::string& path : found.absent) {
    text += fmt::format("problem: events of the channel may be in {}, which is not among the folders\n", path);
  }
  return text;
}

std::string segment_text(const SegmentReport& segment) {
  const std::string key = key_of(segment);
  const std::string made = segment.header ? time_text(segment.header->made_ms) : "header damaged";
  return fmt::format("  {}  {:>9} bytes, data up to {:>9}, numbers from {}, {}{}\n",
                     segment.path.substr(segment.path.rfind('/') + 1), segment.size, segment.end, segment.first, made,
                     key.empty() ? "" : ", key " + key);
}

}  // namespace

Status add_key(const std::string& text, file_channel::KeySource& keys) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return {Code::invalid, fmt::format("--key {} is not NAME=FILE", text)};
  }
  keys.provider = file_channel::KeySource::Provider::file;
  keys.keys.push_back({text.substr(0, equals), text.substr(equals + 1)});
  return {};
}

Result<ChannelLook> parse_channel_look(std::span<const std::string> arguments) {
  enum : int { kFormat, kKey };
  constexpr SwitchSpec kSwitches[] = {{kFormat, "", "format", true}, {kKey, "", "key", true}};
  TRY_ASSIGN(const ParsedLine line, parse_switches(kSwitches, arguments));
  ChannelLook look;
  for (const ParsedSwitch& each : line.switches) {
    if (each.id == kKey) TRY(add_key(each.value, look.keys));
    if (each.id != kFormat) continue;
    if (each.value != "text" && each.value != "json") {
      return Status(Code::invalid, fmt::format("--format {}: it is text or json", each.value));
    }
    look.format = each.value == "json" ? ReportFormat::json : ReportFormat::text;
  }
  if (line.rest.empty())
    return Status(Code::invalid, "no folder is named: name the channel's checkpointDir and dataDirs");
  TRY_ASSIGN(look.folders, file_channel::locate_folders(real_file_system(), line.rest));
  look.holder = holder_of_folder(look.folders.checkpoint);
  return look;
}

Result<file_channel::Inspection> look_at_channel(const ChannelLook& look, bool read_records) {
  TRY_ASSIGN(const file_channel::KeyRing keys, file_channel::load_keys(look.keys, real_file_system()));
  return file_channel::inspect(real_file_system(), look.folders,
                               {.read_records = read_records, .in_use = !look.holder.empty(), .keys = &keys});
}

std::string holder_of_folder(const std::string& folder) {
  const std::string path = folder + "/standpipe.lock";
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return "";
  struct flock holder {};
  holder.l_type = F_WRLCK;
  holder.l_whence = SEEK_SET;
  const bool held = ::fcntl(descriptor, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK;
  std::string text(200, '\0');
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  ::close(descriptor);
  if (!held) return "";
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' '; }, ' ');
  return text.empty() ? fmt::format("process {}", holder.l_pid) : text;
}

bool is_damaged(const Inspection& found) {
  const auto counts = [](const DamagedPlace& line) { return line.damage.numbers.size() == 0 || line.waiting > 0; };
  return !found.unreadable.empty() || !found.absent.empty() || !found.missing.empty() || !found.problems.empty() ||
         std::any_of(found.damages.begin(), found.damages.end(), counts);
}

std::string render_channel(const Inspection& found, const ChannelLook& look, std::int64_t now_ms) {
  if (look.format == ReportFormat::json) return channel_json(found, look, now_ms);
  const std::vector<file_channel::Range> gone = found.gone.ranges();
  std::string text = fmt::format("channel {} of agent {}, id {}\n", found.owner.channel, found.owner.agent,
                                 file_channel::to_hex(found.owner.id));
  text += look.holder.empty() ? "not in use\n" : fmt::format("in use by {}\n", look.holder);
  text += fmt::format("events waiting: {}", found.waiting);
  if (found.waiting > 0) {
    text += fmt::format(", from number {} on; the oldest is at most {} old", found.gone.end_of(0),
                        found.oldest_segment_ms == 0 ? "?" : age_text(now_ms - found.oldest_segment_ms));
  }
  text +=
      fmt::format("\ntaken: {} range{} of numbers below {}\n", gone.size(), gone.size() == 1 ? "" : "s", found.next);
  if (found.generation == 0) {
    text += "snapshot: none\n";
  } else {
    text += fmt::format("snapshot: generation {} of {}\n", found.generation, time_text(found.snapshot_ms));
  }
  for (const DirectoryReport& directory : found.directories) {
    text += fmt::format("{}: {} segments, {} bytes", directory.path, directory.segments.size(), size_of(directory));
    if (directory.damaged_copies > 0) text += fmt::format(", {} bytes of damage in damaged/", directory.damaged_copies);
    text += "\n";
    for (const SegmentReport& segment : directory.segments) text += segment_text(segment);
  }
  text += problems_text(found);
  return text;
}

std::string render_damage(const Inspection& found, const ChannelLook& look) {
  if (look.format == ReportFormat::json) return damage_json_text(found);
  std::string text;
  std::uint64_t events = 0;
  std::uint64_t waiting = 0;
  for (const DirectoryReport& directory : found.directories) {
    for (const SegmentReport& segment : directory.segments) {
      events += segment.events;
      waiting += segment.waiting;
    }
  }
  text += problems_text(found);
  for (const DamagedPlace& line : found.unreadable) text += "can't be read: " + damage_text(line) + "\n";
  for (const DamagedPlace& line : found.damages) text += "damage: " + damage_text(line) + "\n";
  for (const file_channel::Range& range : found.missing) {
    text += fmt::format("missing: {}: on no disk, and no sink has taken them\n", numbers_text(range));
  }
  for (const DamagedPlace& line : found.torn) {
    text += "torn: " + damage_text(line) + ": nobody was told that it was stored; a start cuts it\n";
  }
  text += fmt::format("{} events check, {} of them wait", events, waiting);
  if (found.closed > 0)
    text += fmt::format("; {} are encrypted: their bytes check, --key would open them", found.closed);
  text += is_damaged(found) ? "\n" : "; nothing is damaged\n";
  return text;
}

}  // namespace standpipe
