#include "sources/taildir/saved_state.h"

#include <fmt/format.h>

#include "io/file_system.h"
#include "sources/taildir/tail_reader.h"

namespace standpipe::taildir {

namespace {

// The content of `path`; empty when there is no such file.
Result<std::string> read_if_present(FileSystem& files, const std::string& path) {
  auto content = read_file(files, path);
  if (!content.ok() && content.status().code() == Code::not_found) return std::string();
  return content;
}

Result<KnowledgeFile> load_knowledge(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const std::string text, read_if_present(files, path));
  return parse_knowledge(text);
}

}  // namespace

SavedState SavedState::load(Environment& environment, const std::string& position_path) {
  SavedState state;
  state.environment_ = &environment;
  const std::string beside = knowledge_path(position_path);
  auto knowledge = load_knowledge(environment.files, beside);
  if (!knowledge.ok()) {
    environment.log.warn(
        fmt::format("{}: {}; going on with Flume's position file alone", beside, knowledge.status().message()));
  } else {
    for (Knowledge& entry : knowledge->files) state.knowledge_[{entry.device, entry.inode}] = std::move(entry);
  }
  const auto text = read_if_present(environment.files, position_path);
  const std::uint64_t written = text.ok() ? Fingerprint::of(*text).hash : 0;
  if (text.ok()) state.positions_hash_ = written;
  // A file that was taken away says on purpose that nothing is known.
  const bool ours = text.ok() && !text->empty() && knowledge.ok() && !state.knowledge_.empty() &&
                    (written == knowledge->after || written == knowledge->before);
  auto positions = text.ok() ? parse_positions(*text) : Result<std::vector<Position>>(text.status());
  if (!ours && positions.ok()) {
    state.positions_ = std::move(*positions);
    return state;
  }
  if (!ours) {
    environment.log.error(fmt::format(
        "Failed loading positionFile: {}: {}; {}", position_path, positions.status().message(),
        state.knowledge_.empty() ? "all files are read from their default start. To avoid that, stop the agent, "
                                   "put a good copy in its place and start again"
                                 : "going on with the positions in " + beside));
  }
  for (const auto& [id, entry] : state.knowledge_) state.positions_.push_back({id.inode, entry.offset, entry.path});
  return state;
}

const Position* SavedState::position(const TailFile& file) const {
  const Position* by_inode = nullptr;
  for (const Position& position : positions_) {
    if (position.inode != file.id.inode) continue;
    if (position.path == file.path) return &position;
    by_inode = &position;
  }
  return by_inode;
}

SavedState::Found SavedState::find(const TailFile& file, Mark& mark) {
  asked_.insert(file.id);
  const Position* position = this->position(file);
  const auto known = knowledge_.find(file.id);
  if (known == knowledge_.end()) {
    // Flume's own rule: inode and path. An inode alone may be another file by now.
    if (position == nullptr || position->path != file.path) return Found::unknown;
    return resume(file, position->offset, mark);
  }
  const Knowledge& entry = known->second;
  if (position == nullptr && !entry.rotated) return Found::unknown;  // taken out of Flume's file on purpose
  if (!same_content(file, entry)) return Found::replaced;
  return resume(file, position != nullptr ? position->offset : entry.offset, mark);
}

SavedState::Found SavedState::resume(const TailFile& file, std::uint64_t offset, Mark& mark) const {
  if (offset > file.size) {
    environment_->log.info(fmt::format("Pos {} is larger than file size! Restarting from pos 0, file: {}, inode: {}",
                                       offset, file.path, file.id.inode));
    return Found::replaced;
  }
  const auto tail = read_fingerprint(*file.file, offset, Fingerprint::kTailBytes);
  mark = {offset, tail.ok() ? *tail : Fingerprint{}};
  return Found::resumed;
}

bool SavedState::same_content(const TailFile& file, const Knowledge& entry) const {
  if (file.size < entry.offset || file.size < entry.head.size) return false;
  const auto head = read_fingerprint(*file.file, entry.head.size, entry.head.size);
  const auto tail = read_fingerprint(*file.file, entry.offset, entry.tail.size);
  return head.ok() && tail.ok() && *head == entry.head && *tail == entry.tail;
}

std::map<FileIdentity, Knowledge> SavedState::missing() const {
  std::map<FileIdentity, Knowledge> result;
  for (const auto& [id, entry] : knowledge_) {
    // Without a fingerprint nothing tells the file from another one under its number.
    if (!asked_.contains(id) && entry.head.size > 0) result.emplace(id, entry);
  }
  return result;
}

}  // namespace standpipe::taildir
