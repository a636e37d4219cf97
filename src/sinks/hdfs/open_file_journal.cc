#include "sinks/hdfs/open_file_journal.h"

#include <fmt/format.h>

#include "base/text.h"

namespace standpipe::hdfs {

namespace {

// One line a change, fields separated by tabs:
//   standpipe-open-files <version> <boot id>
//   O <id> <L lines | B other> <in-use name> <final name>
//   S <id> <bytes stored>
//   C <id>
constexpr std::string_view kMagic = "standpipe-open-files";
constexpr std::string_view kVersion = "1";
constexpr std::uint64_t kRewriteAt = 1u << 20;

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\t': out.append("\\t"); break;
      case '\n': out.append("\\n"); break;
      case '\\': out.append("\\\\"); break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    ++i;
    out.push_back(text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i]);
  }
  return out;
}

std::string open_line(OpenFileJournal::Id id, const OpenFileJournal::Entry& entry) {
  return fmt::format("O\t{}\t{}\t{}\t{}\n", id, entry.lines ? 'L' : 'B', escape(entry.in_use),
                     escape(entry.final_name));
}

}  // namespace

OpenFileJournal::OpenFileJournal(FileSystem& files, std::string folder, bool sync)
    : files_(files), folder_(std::move(folder)), path_(folder_ + "/open-files"), sync_(sync) {}

Status OpenFileJournal::open() {
  TRY(files_.make_directories(folder_));
  const auto boot = read_file(files_, "/proc/sys/kernel/random/boot_id", 4096);
  boot_ = boot.ok() ? std::string(trim(*boot)) : "";
  entries_.clear();
  same_boot_ = false;
  const auto content = read_file(files_, path_);
  if (!content.ok() && content.status().code() != Code::not_found) {
    return content.status().with_context("the list of open files can't be read (move it away to go on without it): ");
  }
  if (content.ok()) {
    std::string_view rest = *content;
    // Only whole lines: the last one may have been cut short.
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      read_line(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  return rewrite();
}

void OpenFileJournal::read_line(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() == 3 && fields[0] == kMagic) {
    same_boot_ = !boot_.empty() && fields[2] == boot_;
    return;
  }
  const auto id = fields.size() > 1 ? parse_integer(fields[1]) : std::nullopt;
  if (!id || *id <= 0) return;
  const auto key = static_cast<Id>(*id);
  if (fields[0] == "O" && fields.size() == 5) {
    entries_[key] = {unescape(fields[3]), unescape(fields[4]), fields[2] == "L", 0};
    next_ = std::max(next_, key + 1);
  } else if (fields[0] == "S" && fields.size() == 3) {
    const auto bytes = parse_integer(fields[2]);
    const auto entry = entries_.find(key);
    if (bytes && *bytes >= 0 && entry != entries_.end()) entry->second.stored = static_cast<std::uint64_t>(*bytes);
  } else if (fields[0] == "C") {
    entries_.erase(key);
  }
}

Status OpenFileJournal::rewrite() {
  std::string content = fmt::format("{}\t{}\t{}\n", kMagic, kVersion, boot_);
  for (const auto& [id, entry] : entries_) {
    content += open_line(id, entry);
    if (entry.stored > 0) content += fmt::format("S\t{}\t{}\n", id, entry.stored);
  }
  file_.reset();
  TRY(write_file_atomically(files_, path_, content));
  TRY_ASSIGN(file_, files_.open(path_, FileSystem::Mode::read_write));
  size_ = content.size();
  unsynced_ = false;
  return {};
}

Status OpenFileJournal::append(std::string line) {
  if (file_ == nullptr || size_ > kRewriteAt) TRY(rewrite());
  // At the known end: what a failed write left there is overwritten by the next.
  TRY(file_->write_at(size_, line));
  size_ += line.size();
  return {};
}

Result<OpenFileJournal::Id> OpenFileJournal::opened(Entry entry) {
  const Id id = next_++;
  TRY(append(open_line(id, entry)));
  entries_[id] = std::move(entry);
  unsynced_ = true;
  return id;
}

Status OpenFileJournal::stored(Id id, std::uint64_t bytes) {
  TRY(append(fmt::format("S\t{}\t{}\n", id, bytes)));
  Entry& entry = entries_[id];
  entry.stored = bytes;
  if (!entry.lines) unsynced_ = true;
  return {};
}

Status OpenFileJournal::closed(Id id) {
  TRY(append(fmt::format("C\t{}\n", id)));
  entries_.erase(id);
  return {};
}

Status OpenFileJournal::settle() {
  if (!sync_ || !unsynced_) return {};
  if (file_ == nullptr) return rewrite();
  Status synced = file_->sync();
  // After a failed sync nothing in this file can be trusted: the next change writes it anew.
  if (!synced.ok()) file_.reset();
  unsynced_ = !synced.ok();
  return synced;
}

}  // namespace standpipe::hdfs
