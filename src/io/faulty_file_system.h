#pragma once

#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>

#include "io/file_system.h"

namespace standpipe {

/// A file system that fails where a test says so and otherwise passes everything on; it also counts calls, so that a
/// test can say how many syncs a thing may cost. Thread-safe. `inner` must outlive it and its files.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Operation : unsigned char {
    open,
    read,
    write,
    sync,
    truncate,
    reserve,
    close,
    info,
    list,
    make_directories,
    rename,
    remove,
    sync_directory,
    count
  };

  struct Fault {
    Operation operation;
    Status why{Code::io, "Input/output error"};
    std::string path_contains = {};  ///< empty: every path
    std::size_t after = 0;           ///< calls that still succeed
    std::size_t times = std::numeric_limits<std::size_t>::max();
    bool half_done = false;  ///< a failing write leaves half of its bytes, a failing rename is done all the same

    ~Fault() { why.ignore(); }  // a failure that never came about is none
  };

  explicit FaultyFileSystem(FileSystem& inner) : inner_(inner) {}

  void inject(Fault fault);
  /// Counts all calls that change something (opening a file among them): the one after `after` more fails, and with
  /// `for_ever` all behind it, as if the process had ended there. A failing write leaves half of its bytes.
  void fail_change(std::size_t after, bool for_ever);
  /// Whether that call was reached.
  bool change_failed() const;
  void heal();  ///< no fault any more
  std::size_t calls(Operation operation) const;
  /// Syncs of files whose path contains this wait until release_syncs().
  void hold_syncs(const std::string& path_contains);
  void release_syncs();
  std::size_t held_syncs() const;  ///< that wait now

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, unsigned permissions = 0644) override;
  Result<FileInfo> info(const std::string& path, bool follow = true) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status rename_new(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view owner) override;
  Result<std::uint64_t> free_space(const std::string& path) override;

 private:
  class FaultyFile;
  /// Counts the call; the failure that it shall have. `half_done` is set when part of it happens all the same.
  Status enter(Operation operation, const std::string& path, bool* half_done = nullptr);

  FileSystem& inner_;
  void wait_while_held(const std::string& path);

  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::string held_;  // empty: none
  std::size_t waiting_ = 0;
  std::vector<Fault> faults_;
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  std::size_t changes_left_ = kNever;
  bool changes_end_ = false;
  bool change_failed_ = false;
  std::array<std::size_t, static_cast<std::size_t>(Operation::count)> calls_{};
};

}  // namespace standpipe
