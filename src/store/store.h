#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// A file that a bucket writer fills. One thread at a time. Dropping it without close() leaves it as it is: what
/// recover() is for.
class StoreFile {
 public:
  virtual ~StoreFile() = default;
  /// Adds `bytes` at the end. After a failure some of them may have arrived; the file must not be written again.
  virtual Status write(std::string_view bytes) = 0;
  /// When it returns ok, everything written before is as durable as the store promises. After a failure what was
  /// written since the last good flush is lost, whatever a later call says.
  virtual Status flush() = 0;
  virtual Status close() = 0;
  /// Bytes in the file, flushed or not.
  virtual std::uint64_t size() const = 0;
};

/// Where a bucketing sink writes: a local folder today, HDFS and object stores behind the same calls. Paths are the
/// store's own, without scheme. Every failure names the path. One thread at a time.
///
/// A file counts as stored when its flush() and then settle_names() for its path returned ok: the first makes the bytes
/// durable, the second the name under which they are found.
class Store {
 public:
  virtual ~Store() = default;
  /// A new file, its folders made as needed; Code::invalid when there is one of that name.
  virtual Result<std::unique_ptr<StoreFile>> create(const std::string& path) = 0;
  /// An existing file, to go on at its end.
  virtual Result<std::unique_ptr<StoreFile>> append(const std::string& path) = 0;
  /// Code::invalid when `to` exists: never overwrites. Code::not_found when `from` does not.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Names made or changed so far on the way to `path` survive a power cut. Free when nothing changed there.
  virtual Status settle_names(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> size(const std::string& path) = 0;
  /// Names in a folder, unsorted.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// Up to `size` bytes at `offset`, fewer only at the end: recovery looks for the last whole record with it.
  virtual Result<std::string> read(const std::string& path, std::uint64_t offset, std::size_t size) = 0;
  /// Takes over a file whose writer died: nobody writes it any more, it is `length` bytes long (never longer than it
  /// was), and that is durable.
  virtual Status recover(const std::string& path, std::uint64_t length) = 0;
};

}  // namespace standpipe
