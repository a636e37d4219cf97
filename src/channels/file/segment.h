#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channels/file/encryption.h"
#include "channels/file/interval_set.h"
#include "channels/file/segment_format.h"
#include "io/file_system.h"

namespace standpipe::file_channel {

/// One file of events, as all threads see it. Never changed but for what SegmentList does under its lock.
struct Segment {
  std::uint64_t id = 0;
  std::string path;
  std::uint64_t first = 0;   ///< no record in it has a smaller number
  std::uint64_t end = 0;     ///< of what may be read: the writer's last good sync
  std::int64_t made_ms = 0;  ///< 0: not known
};

/// The segments of one data directory, oldest first. Thread-safe: the writer adds and extends, the reader looks, the
/// housekeeper removes. Costs some bytes a segment and 16 a MiB of events.
class SegmentList {
 public:
  void add(Segment segment);
  /// The writer's newest segment is good up to `end` now, and its last group began at `offset` with event `number`.
  void extend(std::uint64_t id, std::uint64_t number, std::uint64_t offset, std::uint64_t end);
  void remove(std::uint64_t id);

  /// A place to begin reading for event `number`: at or before it, as near as is known.
  struct Place {
    Segment segment;
    std::uint64_t offset = 0;
  };
  /// None: there is nothing.
  std::optional<Place> place_of(std::uint64_t number) const;
  /// Where the segment behind `id` begins; none: there is none.
  std::optional<Place> after(std::uint64_t id) const;
  /// How far segment `id` may be read now; 0: it is gone.
  std::uint64_t end_of(std::uint64_t id) const;

  /// All, oldest first.
  std::vector<Segment> all() const;
  /// The segments (never the newest) that hold nothing but numbers of `gone`.
  std::vector<Segment> without_events(const IntervalSet& gone) const;
  std::size_t size() const;

 private:
  struct Mark {
    std::uint64_t number;
    std::uint64_t offset;
  };
  struct Entry {
    Segment segment;
    std::vector<Mark> marks;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;  // by id, and so by number
};

/// Reads like File::read_at(), and where that fails block by block, each tried several times: what can't be read is
/// left zero and told to `unreadable`. Fails only when nothing can be read.
Result<std::size_t> read_what_is_left(
    File& file, std::uint64_t offset, char* target, std::size_t size,
    const std::function<void(std::uint64_t offset, std::size_t bytes, const Status& why)>& unreadable);

/// The key of the segment that `header` begins, which it names then; none: it is in clear.
Result<std::optional<RecordCipher>> choose_key(const KeyRing& keys, SegmentHeader& header);

/// Appends to one segment. After a failure of any call nothing is written or synced through it any more. One thread.
class SegmentWriter {
 public:
  /// Makes the file at full size, its header and its name durable. Code::full: no room. What a failure leaves behind is
  /// removed.
  static Result<std::unique_ptr<SegmentWriter>> create(FileSystem& files, const std::string& folder,
                                                       const SegmentHeader& header);
  /// Writes behind the last bytes.
  Status write(std::string_view bytes);
  /// What was written is on the device, in the file of this name, when it returns ok.
  Status sync();
  /// Gives the room behind the last bytes back. For a segment that gets no more.
  Status finish();

  const std::string& path() const { return path_; }
  std::uint64_t id() const { return id_; }
  std::uint64_t room() const { return size_ - end_; }
  std::uint64_t end() const { return end_; }
  std::uint64_t synced() const { return synced_; }
  bool failed() const { return failed_; }

 private:
  SegmentWriter(FileSystem& files, std::unique_ptr<File> file, std::string path, const FileInfo& info,
                const SegmentHeader& header);
  Status note(Status status);
  Status write_zeros_ahead(std::size_t group);
  Status check_name() const;

  FileSystem& files_;
  std::unique_ptr<File> file_;
  std::string path_;
  std::uint64_t device_, inode_;
  std::uint64_t id_;
  std::uint64_t size_;
  std::uint64_t end_ = kSegmentHeader;
  std::uint64_t synced_ = kSegmentHeader;
  std::uint64_t zeroed_ = kSegmentHeader;  // the file system has written extents up to here
  bool failed_ = false;
};

}  // namespace standpipe::file_channel
