#include "sinks/hdfs/hdfs_config.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "base/descriptors.h"
#include "base/text.h"

namespace standpipe::hdfs {

namespace {

/// "hdfs" of "hdfs://nn/a"; empty: none.
std::string_view scheme_of(std::string_view path) {
  const std::size_t colon = path.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const std::string_view scheme = path.substr(0, colon);
  const auto legal = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return std::all_of(scheme.begin(), scheme.end(), legal) ? scheme : std::string_view();
}

/// "/a/b" of "file:///a/b", "file:/a/b" and "file://localhost/a/b".
Result<std::string> path_of_file_uri(std::string_view uri) {
  std::string_view rest = uri.substr(uri.find(':') + 1);
  if (rest.starts_with("//")) {
    const std::string_view host = rest.substr(2, rest.find('/', 2) - std::min<std::size_t>(2, rest.size()));
    if (!host.empty() && host != "localhost") {
      return Status(Code::invalid,
                    fmt::format("hdfs.path: {} names the host '{}'; a local folder is file:///folder", uri, host));
    }
    rest.remove_prefix(2 + host.size());
  }
  if (!rest.starts_with('/')) {
    return Status(Code::invalid, fmt::format("hdfs.path: {} needs an absolute folder, as file:///folder", uri));
  }
  return std::string(rest);
}

/// The local folder that hdfs.path means, escapes still in it.
Result<std::string> local_folder(const std::string& path, Log& log) {
  const std::string scheme = to_lower(scheme_of(path));
  std::string folder = path;
  if (scheme == "file") {
    TRY_ASSIGN(folder, path_of_file_uri(path));
  } else if (!scheme.empty()) {
    return Status(
        Code::invalid,
        fmt::format("hdfs.path: {}:// is known to Flume, not yet here; file:///folder writes to a local one", scheme));
  } else if (!folder.starts_with('/')) {
    folder = std::filesystem::current_path().string() + "/" + folder;
  }
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (scheme.empty()) {
    log.warn(
        fmt::format("hdfs.path {} names no file system: files go to the LOCAL folder {} (say file://{} if that is "
                    "meant)",
                    path, folder, folder));
  }
  return folder;
}

TimeRounding rounding_of(const Settings& settings, Log& log) {
  TimeRounding rounding;
  if (!settings.boolean("hdfs.round")) return rounding;
  const std::string unit = settings.choice("hdfs.roundUnit");
  rounding.value = static_cast<int>(settings.integer("hdfs.roundValue"));
  if (unit == "second") rounding.unit = TimeRounding::Unit::second;
  if (unit == "minute") rounding.unit = TimeRounding::Unit::minute;
  if (unit == "hour") rounding.unit = TimeRounding::Unit::hour;
  if (rounding.unit == TimeRounding::Unit::none) {
    log.warn(fmt::format("hdfs.roundUnit '{}' is none of second, minute, hour: times are not rounded", unit));
  }
  return rounding;
}

TimeZone zone_of(const Settings& settings, Log& log) {
  const auto id = settings.optional_text("hdfs.timeZone");
  if (!id) return TimeZone::local();
  auto zone = TimeZone::find(*id);
  if (zone.ok()) return std::move(zone).value();
  log.warn(fmt::format("hdfs.timeZone: {}; UTC is used, as Flume does", zone.status().message()));
  return TimeZone::utc();
}

Result<PathTemplate> compile(const char* key, const std::string& text, const PathOptions& options, Log& log) {
  auto compiled = PathTemplate::compile(text, options);
  if (!compiled.ok()) return compiled.status().with_context(std::string(key) + ": ");
  for (const char letter : compiled->unknown_letters()) {
    log.warn(fmt::format("{}: %{} is no escape that Flume knows; it is replaced by nothing", key, letter));
  }
  return compiled;
}

FileNames file_names_of(const Settings& settings) {
  const std::string choice = settings.choice("hdfs.fileNames");
  if (choice == "unique") return FileNames::unique;
  return choice == "exact" ? FileNames::exact : FileNames::counter;
}

Status read_names(const Settings& settings, Log& log, Config& config) {
  PathOptions options{.zone = zone_of(settings, log),
                      .rounding = rounding_of(settings, log),
                      .use_local_time = settings.boolean("hdfs.useLocalTimeStamp")};
  if (options.rounding.unit == TimeRounding::Unit::hour && options.rounding.value > 24) {
    return {Code::invalid, "hdfs.roundValue: hours can be rounded to 24 at most"};
  }
  TRY_ASSIGN(const std::string folder, local_folder(settings.text("hdfs.path"), log));
  TRY_ASSIGN(config.folder, compile("hdfs.path", folder, options, log));
  TRY_ASSIGN(config.prefix, compile("hdfs.filePrefix", settings.text("hdfs.filePrefix"), options, log));
  std::string suffix = settings.text("hdfs.fileSuffix");
  if (suffix.empty()) suffix = config.format.extension();
  if (!settings.boolean("hdfs.fileSuffixEscapes")) {  // literal: a % stays one
    std::string doubled;
    for (const char c : suffix) doubled.append(c == '%' ? 2 : 1, c);
    suffix = std::move(doubled);
  }
  TRY_ASSIGN(config.suffix, compile("hdfs.fileSuffix", suffix, options, log));

  config.root = settings.text("hdfs.pathRoot");
  if (to_lower(scheme_of(config.root)) == "file") {
    TRY_ASSIGN(config.root, path_of_file_uri(config.root));
  }
  while (config.root.size() > 1 && config.root.back() == '/') config.root.pop_back();
  if (!config.root.empty() && !config.root.starts_with('/')) {
    return {Code::invalid, "hdfs.pathRoot: " + config.root + " is not an absolute folder"};
  }
  const std::string& literal = config.folder.literal_prefix();
  if (config.root.empty() && (literal.empty() || literal == "/") && !config.folder.is_constant()) {
    log.warn(
        "hdfs.path begins with an escape: an event's headers decide where it goes on the whole file system; set "
        "hdfs.pathRoot");
  }
  config.in_use_prefix = settings.text("hdfs.inUsePrefix");
  config.in_use_suffix = settings.boolean("hdfs.emptyInUseSuffix") ? "" : settings.text("hdfs.inUseSuffix");
  config.file_names = file_names_of(settings);
  return {};
}

/// As many as are asked for, and never more than half of what the process may open.
std::size_t most_open_files(const Settings& settings, Log& log) {
  const auto wanted = static_cast<std::size_t>(settings.integer("hdfs.maxOpenFiles"));
  const std::size_t most = std::max<std::size_t>(1, descriptor_limit() / 2);
  if (wanted <= most) return wanted;
  if (settings.has("hdfs.maxOpenFiles")) {
    log.warn(fmt::format("hdfs.maxOpenFiles {}: the process may open {} files, so {} are used; raise ulimit -n", wanted,
                         descriptor_limit(), most));
  }
  return most;
}

void read_rolls(const Settings& settings, Config& config, Log& log) {
  config.roll_interval = settings.duration("hdfs.rollInterval");
  config.roll_size = static_cast<std::uint64_t>(settings.integer("hdfs.rollSize"));
  config.roll_count = static_cast<std::uint64_t>(settings.integer("hdfs.rollCount"));
  config.idle_timeout = settings.duration("hdfs.idleTimeout");
  config.max_open_files = most_open_files(settings, log);
  config.batch_size = static_cast<std::size_t>(settings.integer("hdfs.batchSize"));
}

void read_retries(const Settings& settings, Config& config) {
  const std::int64_t tries = settings.integer("hdfs.closeTries");
  config.close_tries = tries <= 0 ? std::numeric_limits<std::int32_t>::max() : static_cast<std::uint64_t>(tries);
  config.retry_interval = settings.duration("hdfs.retryInterval");
  if (config.retry_interval.count() <= 0) config.close_tries = 1;
}

}  // namespace

Result<Config> Config::parse(const Settings& settings, Environment& environment) {
  Config config;
  TRY_ASSIGN(config.format, FormatFactory::make(settings));
  TRY(read_names(settings, environment.log, config));
  read_rolls(settings, config, environment.log);
  read_retries(settings, config);
  config.sync = settings.boolean("hdfs.fileSync");
  return config;
}

}  // namespace standpipe::hdfs
