#include "channels/file/flume/take_over.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "channels/file/flume/names.h"
#include "channels/file/flume/segment_output.h"
#include "channels/file/segment_format.h"
#include "io/crc32c.h"

namespace standpipe::file_channel::flume {

namespace {

constexpr std::string_view kDecision = "standpipe-take-over";
constexpr std::string_view kWork = "standpipe-taking-over";  // a folder of segments that don't count yet
constexpr std::string_view kOldFiles = "flume-taken-over-";
constexpr std::string_view kEarlyGuard = "log-2147483647";  // no log of Flume's has this number
constexpr std::string_view kFirstLine = "standpipe take-over of a file channel of Flume's\nformat 1\n";
constexpr std::uint64_t kDecisionLimit = 1u << 20;
constexpr std::uint64_t kTellEvery = 1'000'000;
constexpr std::uint64_t kDamageLogged = 20;

Status remove_if_there(FileSystem& files, const std::string& path) {
  Status removed = files.remove(path);
  if (removed.code() == Code::not_found) return {};
  return removed;
}

/// A rename that a power cut left half done has both names.
Status move_file(FileSystem& files, const std::string& from, const std::string& to) {
  const auto there = files.info(to, false);
  if (there.status().code() == Code::not_found) return files.rename_new(from, to);
  if (!there.ok()) return there.status();
  TRY_ASSIGN(const FileInfo source, files.info(from, false));
  if (source.device == there->device && source.inode == there->inode) return files.remove(from);
  return {Code::invalid,
          fmt::format("{} can't be moved to {}, which is another file: move one of them away", from, to)};
}

}  // namespace

TakeOver::TakeOver(Environment& environment, const KeyRing& keys, Directories directories, TakeOverOptions options,
                   Owner owner)
    : environment_(environment),
      files_(environment.files),
      keys_(keys),
      directories_(std::move(directories)),
      options_(options),
      owner_(std::move(owner)) {}

std::string TakeOver::decision_path() const { return directories_.checkpoint + "/" + std::string(kDecision); }

std::vector<std::string> TakeOver::all_folders() const {
  std::vector<std::string> all = directories_.data;
  if (!directories_.backup_checkpoint.empty()) all.push_back(directories_.backup_checkpoint);
  all.push_back(directories_.checkpoint);
  return all;
}

// -- the decision -----------------------------------------------------------------------------------------------------

std::string TakeOver::format(const Decision& decision) {
  std::string text = fmt::format("{}id {}\nagent {}\nchannel {}\nfolder {}\nevents {}\ndamaged {}\n", kFirstLine,
                                 to_hex(decision.owner.id), decision.owner.agent, decision.owner.channel,
                                 decision.folder, decision.result.events, decision.result.damaged);
  if (!decision.backup.empty()) text += fmt::format("backup {}\n", decision.backup);
  for (const std::string& folder : decision.data) text += fmt::format("data {}\n", folder);
  return text + fmt::format("check {:08x}\n", crc32c(0, text));
}

Result<TakeOver::Decision> TakeOver::parse(std::string_view text) {
  const std::size_t check = text.rfind("check ");
  if (!text.starts_with(kFirstLine) || check == std::string_view::npos ||
      text.substr(check) != fmt::format("check {:08x}\n", crc32c(0, text.substr(0, check)))) {
    return Status(Code::corrupt, "it is damaged, or written by a newer version");
  }
  Decision decision;
  for (const std::string_view line : split(text.substr(kFirstLine.size(), check - kFirstLine.size()), '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, blank);
    const std::string value(line.substr(blank + 1));
    if (key == "id") decision.owner.id = from_hex(value).value_or(0);
    if (key == "agent") decision.owner.agent = value;
    if (key == "channel") decision.owner.channel = value;
    if (key == "folder") decision.folder = value;
    if (key == "events") decision.result.events = static_cast<std::uint64_t>(parse_integer(value).value_or(0));
    if (key == "damaged") decision.result.damaged = static_cast<std::uint64_t>(parse_integer(value).value_or(0));
    if (key == "backup") decision.backup = value;
    if (key == "data") decision.data.push_back(value);
  }
  return decision;
}

Result<std::optional<Owner>> TakeOver::decided_owner(FileSystem& files, const std::string& checkpoint) {
  const std::string path = checkpoint + "/" + std::string(kDecision);
  const auto text = read_file(files, path, kDecisionLimit);
  if (text.status().code() == Code::not_found) return std::optional<Owner>();
  if (!text.ok()) return text.status();
  auto decision = parse(*text);
  if (!decision.ok()) return decision.status().with_context(path);
  return std::optional<Owner>(std::move(decision->owner));
}

Result<bool> TakeOver::is_decided() const {
  const auto info = files_.info(decision_path());
  if (info.ok()) return true;
  if (info.status().code() == Code::not_found) return false;
  return info.status();
}

// -- before it --------------------------------------------------------------------------------------------------------

Result<TakenOver> TakeOver::run() {
  for (const std::string& folder : directories_.data) TRY(clear_unfinished(folder));
  TRY_ASSIGN(const Backlog backlog, read_backlog(files_, environment_.log, directories_));
  environment_.log.info(
      fmt::format("{} events wait in Flume's file channel in {} ({} logs, by {}): they are taken over",
                  backlog.waiting.size(), directories_.checkpoint, backlog.logs.size(), backlog.source));
  Decision decision{
      .owner = owner_, .folder = {}, .result = {}, .data = directories_.data, .backup = directories_.backup_checkpoint};
  const auto prepare = [&]() -> Status {
    TRY_ASSIGN(decision.folder, free_name());
    TRY_ASSIGN(decision.result, copy(backlog));
    FAILPOINT("file.take_over_copied");
    for (const std::string& folder : directories_.data) TRY(guard_against_flume(folder));
    FAILPOINT("file.take_over_guarded");
    return {};
  };
  if (Status status = prepare(); !status.ok()) {
    // Flume can go on with its files. What can't be removed now is removed by the next try.
    for (const std::string& folder : directories_.data) clear_unfinished(folder).ignore();
    return status.with_context("Flume's events can't be taken over, its files are as they were");
  }
  TRY(write_file_atomically(files_, decision_path(), format(decision)));
  FAILPOINT("file.take_over_decided");
  TRY(finish(decision));
  return decision.result;
}

/// What an earlier try left that came to no decision.
Status TakeOver::clear_unfinished(const std::string& folder) {
  const std::string work = folder + "/" + std::string(kWork);
  const auto names = files_.list(work);
  if (names.ok()) {
    for (const std::string& name : *names) TRY(files_.remove(work + "/" + name));
    TRY(files_.remove_directory(work));
  } else if (names.status().code() != Code::not_found) {
    return names.status();
  }
  const std::string guard = folder + "/" + std::string(kEarlyGuard);
  TRY_ASSIGN(const bool ours, is_guard(files_, guard));
  return ours ? files_.remove(guard) : Status();
}

/// A name for the old files that none of the folders has.
Result<std::string> TakeOver::free_name() const {
  for (int number = 1;; ++number) {
    const std::string name = std::string(kOldFiles) + std::to_string(number);
    bool taken = false;
    for (const std::string& folder : all_folders()) taken = taken || files_.info(folder + "/" + name).ok();
    if (!taken) return name;
  }
}

Result<TakenOver> TakeOver::copy(const Backlog& backlog) {
  SegmentOutput::Options output_options{.folders = {},
                                        .channel_id = owner_.id,
                                        .keys = keys_,
                                        .segment_size = options_.segment_size,
                                        .minimum_free = options_.minimum_free};
  for (const std::string& folder : directories_.data) {
    output_options.folders.push_back(folder + "/" + std::string(kWork));
  }
  SegmentOutput output(environment_, std::move(output_options));
  EventReader reader(files_, backlog.logs);
  TakenOver result;
  for (const Pointer pointer : backlog.waiting) {
    TRY_ASSIGN(const EventReader::Found found, reader.read(pointer));
    if (found.event) {
      TRY(output.add(found.event->headers, found.event->body));
      ++result.events;
      if (result.events % kTellEvery == 0) {
        environment_.log.info(fmt::format("{} of {} events copied", result.events, backlog.waiting.size()));
      }
    } else if (!found.why_not.empty() && ++result.damaged <= kDamageLogged) {
      environment_.log.error(fmt::format("log-{}: the event at offset {} is left out: {}", log_of(pointer),
                                         offset_of(pointer), found.why_not));
    }
  }
  TRY(output.finish());
  for (const std::string& folder : directories_.data) TRY(files_.sync_directory(folder));
  return result;
}

/// From here on Flume must not start on the folder, also when this process is killed: it would deliver the same events.
Status TakeOver::guard_against_flume(const std::string& folder) {
  return write_guard(files_, folder + "/" + std::string(kEarlyGuard));
}

// -- behind it: everything may be done again ----------------------------------------------------------------------

Result<TakenOver> TakeOver::resume() {
  const auto text = read_file(files_, decision_path(), kDecisionLimit);
  auto decision = text.ok() ? parse(*text) : Result<Decision>(text.status());
  if (!decision.ok()) return decision.status().with_context(decision_path());
  for (const std::string& folder : decision->data) {
    if (std::find(directories_.data.begin(), directories_.data.end(), folder) != directories_.data.end()) continue;
    return Status(Code::invalid, fmt::format("events that were taken over from Flume are in {}, which is not among "
                                             "dataDirs any more: add it",
                                             folder));
  }
  directories_.data = decision->data;
  directories_.backup_checkpoint = decision->backup;
  TRY(finish(*decision));
  return decision->result;
}

Status TakeOver::finish(const Decision& decision) {
  for (const std::string& folder : decision.data) {
    TRY(move_old_files(folder, decision.folder));
    TRY(write_guard(files_, folder + "/" + std::string(kGuardFile)));
    TRY(remove_if_there(files_, folder + "/" + std::string(kEarlyGuard)));
    TRY(move_segments(folder));
    TRY(write_owner(files_, folder, decision.owner));
    FAILPOINT("file.take_over_folder_done");
  }
  if (!decision.backup.empty()) TRY(move_old_files(decision.backup, decision.folder));
  TRY(move_old_files(directories_.checkpoint, decision.folder));
  TRY(write_owner(files_, directories_.checkpoint, decision.owner));
  FAILPOINT("file.take_over_moved");
  TRY(files_.remove(decision_path()));
  TRY(files_.sync_directory(directories_.checkpoint));
  environment_.log.info(fmt::format(
      "took over {} events from Flume's file channel; {} of it were damaged. Its files are in {}/{} and the folders of "
      "that name in {}: remove them when nobody needs them",
      decision.result.events, decision.result.damaged, directories_.checkpoint, decision.folder,
      fmt::join(decision.data, ", ")));
  return {};
}

Status TakeOver::move_old_files(const std::string& folder, const std::string& to) {
  TRY_ASSIGN(const auto names, files_.list(folder));
  const std::string target = folder + "/" + to;
  bool made = false;
  for (const std::string& name : names) {
    if (!is_name_of_flume(name)) continue;
    TRY_ASSIGN(const bool guard, is_guard(files_, folder + "/" + name));
    if (guard) continue;
    if (!std::exchange(made, true)) {
      TRY(files_.make_directories(target));
      TRY(files_.sync_directory(folder));
    }
    TRY(move_file(files_, folder + "/" + name, target + "/" + name));
    FAILPOINT("file.take_over_file_moved");
  }
  if (!made) return {};
  TRY(files_.sync_directory(target));
  return files_.sync_directory(folder);
}

Status TakeOver::move_segments(const std::string& folder) {
  const std::string work = folder + "/" + std::string(kWork);
  const auto names = files_.list(work);
  if (names.status().code() == Code::not_found) return {};
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) TRY(move_file(files_, work + "/" + name, folder + "/" + name));
  TRY(files_.sync_directory(folder));
  TRY(files_.remove_directory(work));
  return files_.sync_directory(folder);
}

}  // namespace standpipe::file_channel::flume
