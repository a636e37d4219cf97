#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/java_regex.h"
#include "io/file_system.h"
#include "sources/taildir/tail_file.h"
#include "standpipe/environment.h"
#include "standpipe/status.h"

namespace standpipe::taildir {

/// One `filegroups.<name>`: a folder and a pattern for the last part of the path.
struct FileGroup {
  std::string name;
  std::string directory;  ///< absolute, without a slash at its end
  JavaRegex pattern;
  Headers headers;
};

/// The files that match, under whatever name they have just now. Works from what is there, not from a story of what
/// happened: look_at() compares a name with what is known under its device and inode, so changes may be told late,
/// twice or merged. A file whose name went away is kept, open, until it was read to its end. One thread.
class FileSet {
 public:
  struct Options {
    std::string path_header;                ///< header that gets the absolute path; empty: none
    bool cache_listing = true;              ///< list a folder only when its time changed
    std::size_t max_open = 512;             ///< descriptors; files that are read to their end are closed first
    std::function<void(TailFile&)> on_new;  ///< positions the file; it is open
    std::function<void(const Status&)> on_unreadable;  ///< a file that matches can't be opened; tried again
  };

  FileSet(std::vector<FileGroup> groups, Options options, Environment& environment);

  /// Lists every folder (where the time of the folder asks for it, or `force`) and looks at what is known. The first
  /// failure is returned, after all folders were tried.
  Status scan(bool force);
  /// Something happened under this name.
  void look_at(const std::string& directory, const std::string& name);
  /// The file that has this path now; null: none.
  TailFile* find(const std::string& directory, const std::string& name);
  /// Follows a file that no longer has a matching name but had one, `old_path`: its unread rest is still wanted. Null:
  /// it can't be opened.
  TailFile* adopt(const std::string& directory, const std::string& name, const std::string& old_path);

  /// Opens a closed file again; false when its path leads to another one now.
  bool open(TailFile& file);
  void close(TailFile& file);
  /// Forgets a file that is gone, closed and settled.
  void forget(TailFile& file);
  /// Counts so many open files: the least recently grown of those read to their end are closed.
  void limit_open();

  const std::vector<std::unique_ptr<TailFile>>& files() const { return files_; }
  std::vector<std::string> directories() const;
  std::size_t open_files() const { return open_; }
  bool matches(const std::string& directory, const std::string& name) const;

 private:
  struct Directory {
    std::vector<const FileGroup*> groups;
    std::int64_t listed_modified_ns = -1;
  };

  Status scan_directory(const std::string& path, Directory& directory, bool force);
  const FileGroup* group_of(const std::string& directory, const std::string& name) const;
  bool leads_to(const std::string& path, const FileIdentity& id) const;
  void seen(const std::string& path, const FileInfo& info, const FileGroup* group);
  void add(const std::string& path, const FileInfo& info, const FileGroup& group);
  void name_lost(const std::string& path);
  void renamed(TailFile& file, const std::string& path, const FileGroup* group);

  const std::vector<FileGroup> groups_;
  const Options options_;
  Environment& environment_;
  std::map<std::string, Directory> directories_;
  std::vector<std::unique_ptr<TailFile>> files_;  // in the order in which they were found
  std::map<FileIdentity, TailFile*> by_id_;
  std::map<std::string, TailFile*, std::less<>> by_path_;
  std::size_t open_ = 0;
};

}  // namespace standpipe::taildir
