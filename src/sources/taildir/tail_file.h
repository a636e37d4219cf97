#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "base/delivery_progress.h"
#include "io/file_system.h"
#include "sources/taildir/fingerprint.h"
#include "standpipe/headers.h"

namespace standpipe::taildir {

/// What a file is, whatever it is called: with the fingerprints, what a position belongs to.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// A position and what the file looks like right before it.
struct Mark {
  std::uint64_t offset = 0;
  Fingerprint tail;
};

/// One followed file: who it is, how far it was read and how far delivered. Lives from the moment a matching name is
/// seen until the name is gone, the last byte read and the last receipt complete. Owned by the FileSet, used by the
/// source's runner thread only.
struct TailFile {
  using Steady = std::chrono::steady_clock::time_point;

  FileIdentity id;
  std::string path;                        ///< where it is now; where it was last, when gone
  std::shared_ptr<const Headers> headers;  ///< one block, shared by all batches
  /// No matching name leads to it any more (renamed away or deleted): it is read to its end through its descriptor.
  bool gone = false;
  std::unique_ptr<File> file;  ///< null: closed, nothing to read at the moment

  std::uint64_t size = 0;     ///< when last looked
  Mark read;                  ///< up to here everything was handed over
  std::uint64_t partial = 0;  ///< bytes behind it that are known to hold no line feed
  std::uint64_t chunk = 0;    ///< how much to read at once; 0: the usual
  bool skip_nuls = false;     ///< a writer that kept its offset over a truncation leaves a hole
  Fingerprint head;

  DeliveryProgress<Mark> progress;
  /// Counts up when the content is replaced (truncation): receipts of an earlier life change nothing.
  std::uint32_t life = 0;
  std::size_t flights = 0;  ///< receipts outstanding, of all lives

  bool queued = false;  ///< in the ready queue
  Steady last_growth{};

  bool has_unread() const { return size != read.offset; }
  bool settled() const { return flights == 0 && progress.idle(); }
};

}  // namespace standpipe::taildir
