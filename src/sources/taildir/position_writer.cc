#include "sources/taildir/position_writer.h"

#include "base/failpoint.h"
#include "sources/taildir/position_file.h"

namespace standpipe::taildir {

PositionWriter::PositionWriter(FileSystem& files, std::string path, std::uint64_t standing_hash,
                               std::function<void(const Status&)> on_failure)
    : files_(files),
      path_(std::move(path)),
      standing_hash_(standing_hash),
      on_failure_(std::move(on_failure)),
      thread_([this] { run(); }) {}

PositionWriter::~PositionWriter() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void PositionWriter::post(Snapshot snapshot) {
  {
    std::lock_guard lock(mutex_);
    waiting_ = std::move(snapshot);
  }
  changed_.notify_one();
}

void PositionWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return waiting_.has_value() || ended_; });
    if (!waiting_.has_value()) return;
    const Snapshot snapshot = std::move(*waiting_);
    waiting_.reset();
    lock.unlock();
    if (const Status status = write(snapshot); !status.ok()) on_failure_(status);
    lock.lock();
  }
}

Status PositionWriter::write(const Snapshot& snapshot) {
  FAILPOINT("taildir.before_position_write");
  const std::uint64_t hash = Fingerprint::of(snapshot.positions).hash;
  TRY(replace(knowledge_path(path_), format_knowledge({standing_hash_, hash, snapshot.knowledge})));
  TRY(replace(path_, snapshot.positions));
  standing_hash_ = hash;
  return {};
}

Status PositionWriter::replace(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".tmp";
  TRY_ASSIGN(const auto file, files_.open(temporary, FileSystem::Mode::create));
  TRY(file->write(content));
  TRY(file->sync());
  TRY(file->close());
  FAILPOINT("taildir.after_position_tmp");
  TRY(files_.rename(temporary, path));
  FAILPOINT("taildir.after_position_rename");
  const std::size_t slash = path.rfind('/');
  return files_.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace standpipe::taildir
