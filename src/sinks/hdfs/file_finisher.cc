#include "sinks/hdfs/file_finisher.h"

#include <algorithm>

#include <fmt/format.h>

namespace standpipe::hdfs {

void FileFinisher::recover_orphans() {
  const auto orphans = journal_.entries();  // a copy: finishing changes the journal
  for (const auto& [id, entry] : orphans) {
    const auto length = good_length(entry);
    if (!length.ok() && length.status().code() != Code::not_found) {
      wait({id, entry.in_use, entry.final_name, entry.stored}, 1, length.status());
      continue;
    }
    environment_.log.info(
        length.ok() ? fmt::format("finishing {}, left open by an earlier run: {} bytes are good", entry.in_use, *length)
                    : fmt::format("{}, left open by an earlier run, is gone", entry.in_use));
    finish({id, entry.in_use, entry.final_name, length.ok() ? std::optional(*length) : std::nullopt});
  }
}

Result<std::uint64_t> FileFinisher::good_length(const OpenFileJournal::Entry& entry) {
  TRY_ASSIGN(const std::uint64_t size, store_.size(entry.in_use));
  if (size < entry.stored) {
    environment_.log.error(
        fmt::format("{} holds {} bytes where {} were delivered: the rest was lost with the machine's "
                    "memory{}",
                    entry.in_use, size, entry.stored, config_.sync ? "" : " (hdfs.fileSync is off)"));
    return size;
  }
  // The list's length of a file of lines is not synced: after a power cut more may have been delivered than it says.
  // What is kept beyond it may come a second time, which is allowed; a loss is not.
  const bool exact = journal_.same_boot() || !entry.lines;
  return exact ? Result<std::uint64_t>(entry.stored) : last_line_end(entry.in_use, entry.stored, size);
}

Result<std::uint64_t> FileFinisher::last_line_end(const std::string& path, std::uint64_t from, std::uint64_t size) {
  constexpr std::size_t kPiece = 64 * 1024;
  while (size > from) {
    const std::size_t piece = std::min<std::uint64_t>(kPiece, size - from);
    TRY_ASSIGN(const std::string bytes, store_.read(path, size - piece, piece));
    const std::size_t newline = bytes.rfind('\n');
    if (newline != std::string::npos) return size - piece + newline + 1;
    size -= piece;
  }
  return from;
}

void FileFinisher::finish(Unfinished file) {
  const Status status = try_finish(file);
  if (!status.ok()) wait(std::move(file), 1, status);
}

Status FileFinisher::try_finish(const Unfinished& file) {
  TRY_ASSIGN(const bool there, store_.exists(file.in_use));
  if (!there) return journal_.closed(file.id);  // finished before the crash, or removed by somebody: as Flume, no error
  if (file.cut_to == 0) {
    TRY(store_.remove(file.in_use));
  } else {
    if (file.cut_to) {
      TRY_ASSIGN(const std::uint64_t size, store_.size(file.in_use));
      TRY(store_.recover(file.in_use, std::min(size, *file.cut_to)));
    }
    if (file.in_use != file.final_name) TRY(store_.rename(file.in_use, file.final_name));
  }
  TRY(store_.settle_names(file.in_use));
  TRY(store_.settle_names(file.final_name));
  return journal_.closed(file.id);
}

void FileFinisher::wait(Unfinished file, std::uint64_t tries, const Status& why) {
  const bool last = tries >= config_.close_tries;
  environment_.log.error(fmt::format(
      "{} can't be finished as {}: {}; {}", file.in_use, file.final_name, why.message(),
      last ? "it is left for the next start" : fmt::format("next try in {} s", config_.retry_interval.count() / 1000)));
  if (!last) waiting_.push_back({std::move(file), tries, environment_.clock.steady_now() + config_.retry_interval});
}

void FileFinisher::retry_due(Clock::Steady now) {
  if (waiting_.empty()) return;
  std::vector<Waiting> all = std::move(waiting_);
  waiting_.clear();
  for (Waiting& one : all) {
    if (one.due > now) {
      waiting_.push_back(std::move(one));
      continue;
    }
    const Status status = try_finish(one.file);
    if (!status.ok()) wait(std::move(one.file), one.tries + 1, status);
  }
}

std::optional<Clock::Steady> FileFinisher::next_due() const {
  std::optional<Clock::Steady> next;
  for (const Waiting& one : waiting_) {
    if (!next || one.due < *next) next = one.due;
  }
  return next;
}

}  // namespace standpipe::hdfs
