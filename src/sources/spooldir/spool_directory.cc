#include "sources/spooldir/spool_directory.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/clock.h"

namespace standpipe::spooldir {

namespace {

constexpr int kDeepest = 64;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// As Java compares file times here: in milliseconds.
std::int64_t time_of(const Candidate& candidate) { return candidate.info.modified_ns / 1'000'000; }

}  // namespace

Status SpoolDirectory::check() {
  const auto info = environment_.files.info(options_.path);
  if (!info.ok() || info->type != FileInfo::Type::directory) {
    return {Code::not_found,
            fmt::format("Directory does not exist: {} (spoolDir); make it, or change the property", options_.path)};
  }
  if (options_.rename_finished || options_.delete_finished) {
    // What can't be written to would be read again and again.
    const std::string canary =
        fmt::format("{}/flume-spooldir-perm-check-{}.canary", options_.path, environment_.clock.now_ms());
    const auto file = environment_.files.open(canary, FileSystem::Mode::create_new);
    if (!file.ok()) {
      return file.status().with_context(
          fmt::format("spoolDir {} must be writable to rename finished files (or use trackingPolicy = tracker_dir)",
                      options_.path));
    }
    TRY(environment_.files.remove(canary));
  }
  return environment_.files.make_directories(options_.tracker_directory);
}

Result<std::optional<Candidate>> SpoolDirectory::next(bool refresh) {
  // A random order is the folder's own: one listing is used up before the next.
  if (waiting_.empty() || (refresh && options_.order != ConsumeOrder::random)) {
    waiting_.clear();
    TRY(list(options_.path, 0));
    sort();
  }
  if (waiting_.empty()) return std::optional<Candidate>();
  Candidate first = std::move(waiting_.front());
  waiting_.pop_front();
  return std::optional(std::move(first));
}

void SpoolDirectory::sort() {
  if (options_.order == ConsumeOrder::random) return;
  const bool oldest = options_.order == ConsumeOrder::oldest;
  std::sort(waiting_.begin(), waiting_.end(), [oldest](const Candidate& a, const Candidate& b) {
    const std::int64_t first = oldest ? time_of(a) : time_of(b);
    const std::int64_t second = oldest ? time_of(b) : time_of(a);
    return std::make_tuple(first, base_name(a.path)) < std::make_tuple(second, base_name(b.path));
  });
}

Status SpoolDirectory::list(const std::string& directory, int depth) {
  TRY_ASSIGN(const std::vector<std::string> names, environment_.files.list(directory));
  for (const std::string& name : names) consider(directory, name, depth);
  return {};
}

void SpoolDirectory::consider(const std::string& directory, const std::string& name, int depth) {
  if (name.starts_with('.') || options_.ignore.matches(name)) return;
  const std::string path = directory + "/" + name;
  if (!options_.recursive && !wanted(path, name)) return;
  auto info = environment_.files.info(path, false);
  if (info.ok() && info->type == FileInfo::Type::directory) {
    // A folder that can't be listed costs its files, not the others.
    if (!options_.recursive || depth >= kDeepest) return;
    if (const Status status = list(path, depth + 1); !status.ok()) environment_.log.warn(status.message());
    return;
  }
  if (info.ok() && info->type == FileInfo::Type::symlink) info = environment_.files.info(path, true);
  if (!info.ok() || info->type != FileInfo::Type::file || !wanted(path, name)) return;
  waiting_.push_back({path, *info});
}

bool SpoolDirectory::wanted(const std::string& path, const std::string& name) const {
  if (!options_.suffix.empty() && name.ends_with(options_.suffix)) return false;
  if (held_.contains(path) || avoided_.contains(path) || !options_.include.matches(name)) return false;
  return options_.rename_finished || !environment_.files.info(marker(path)).ok();
}

std::string SpoolDirectory::marker(const std::string& path) const {
  return options_.tracker_directory + path.substr(options_.path.size()) + options_.suffix;
}

Status SpoolDirectory::mark_finished(const std::string& path) {
  const std::string target = marker(path);
  TRY(environment_.files.make_directories(target.substr(0, target.rfind('/'))));
  TRY_ASSIGN(const auto file, environment_.files.open(target, FileSystem::Mode::create_new));
  return file->close();
}

Status SpoolDirectory::finish(const std::string& path) {
  if (options_.delete_finished) return environment_.files.remove(path);
  if (!options_.rename_finished) return mark_finished(path);
  return environment_.files.rename_new(path, path + options_.suffix);
}

Result<std::string> SpoolDirectory::set_aside(const std::string& path, std::string_view why) {
  if (!options_.rename_finished && !options_.delete_finished) {
    TRY(mark_finished(path));
    return marker(path);
  }
  // Ends in the suffix, so that neither Flume nor we read it again.
  const std::string suffix = options_.suffix.empty() ? ".COMPLETED" : options_.suffix;
  for (int number = 1; number <= 10'000; ++number) {
    const std::string target =
        fmt::format("{}.{}{}{}", path, why, number == 1 ? "" : fmt::format("-{}", number), suffix);
    const Status renamed = environment_.files.rename_new(path, target);
    if (renamed.ok()) return target;
    if (renamed.code() != Code::invalid) return renamed;
  }
  return Status(Code::invalid, path + ": no free name to set it aside");
}

}  // namespace standpipe::spooldir
