#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "base/descriptors.h"
#include "base/home.h"
#include "sources/taildir/taildir_source.h"

namespace standpipe {

using namespace std::chrono_literals;

namespace {

constexpr Option kOptions[] = {
    {.name = "filegroups", .kind = Kind::list, .help = "names of the file groups", .required = true},
    {.name = "filegroups.*",
     .kind = Kind::path,
     .help = "folder, and a Java regular expression that the last part of the path must match as a whole"},
    {.name = "headers.*.*", .kind = Kind::text, .help = "headers.<group>.<key>: a header for every event of the group"},
    {.name = "headers.*", .kind = Kind::text, .help = "lacks the name of the header: write headers.<group>.<key>"},
    {.name = "positionFile",
     .kind = Kind::path,
     .fallback = "~/.flume/taildir_position.json",
     .help = "where the positions are kept, in Flume's format; what we know beyond it stands beside it in "
             "<name>.standpipe"},
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "events a batch",
     .unit = "events",
     .min = 1},
    {.name = "skipToEnd",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "begin at the end of files that are there at start and have no position yet"},
    {.name = "byteOffsetHeader",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "header byteoffset: where the line begins; each event then has headers of its own, which is slower"},
    {.name = "idleTimeout",
     .kind = Kind::duration,
     .fallback = "120000",
     .help = "a file that did not grow for so long is closed; an unterminated last line is delivered then",
     .unit = "ms",
     .min = 1},
    {.name = "writePosInterval",
     .kind = Kind::duration,
     .fallback = "3000",
     .help = "how often the position file is written when positions moved",
     .unit = "ms",
     .min = 1},
    {.name = "cachePatternMatching",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "list a folder again only when its time changed; false: at every look around"},
    {.name = "fileHeader", .kind = Kind::boolean, .fallback = "false", .help = "add a header with the absolute path"},
    {.name = "fileHeaderKey", .kind = Kind::name, .fallback = "file", .help = "name of that header"},
    {.name = "maxBatchCount",
     .kind = Kind::integer,
     .fallback = "9223372036854775807",
     .help = "batches from one file before the next one has its turn; 0 or less: the default",
     .unit = "batches"},
    {.name = "backoffSleepIncrement",
     .kind = Kind::duration,
     .fallback = "1000",
     .help = "pause after the channel refused a batch, longer by as much each time",
     .unit = "ms",
     .min = 0},
    {.name = "maxBackoffSleep",
     .kind = Kind::duration,
     .fallback = "5000",
     .help = "longest such pause",
     .unit = "ms",
     .min = 0},
    {.name = "maxLineLength",
     .kind = Kind::integer,
     .fallback = "16777216",
     .help = "longest line; not in Flume. At most an eighth of the memory budget",
     .unit = "bytes",
     .min = 1,
     .max = 1 << 30},
    {.name = "longLinePolicy",
     .kind = Kind::choice,
     .fallback = "split",
     .help = "what becomes of a longer line: several events, or its beginning only; not in Flume",
     .choices = "split|truncate"},
};

constexpr std::string_view kClassNames[] = {"org.apache.flume.source.taildir.TaildirSource"};

// As java.io.File: relative to the working directory, no doubled slashes, none at the end.
std::string absolute_path(const std::string& path) {
  std::string full = path.starts_with('/') ? path : std::filesystem::current_path().string() + "/" + path;
  std::string result;
  for (const char c : full) {
    if (c != '/' || !result.ends_with('/')) result += c;
  }
  if (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

Result<taildir::FileGroup> make_group(const std::string& name, const Settings& settings) {
  const std::string key = "filegroups." + name;
  if (!settings.has(key) || settings.text(key).empty()) {
    return Status(Code::invalid,
                  fmt::format("{} is missing: give the folder and the pattern of group '{}'", key, name));
  }
  const std::string path = absolute_path(settings.text(key));
  const std::size_t slash = path.rfind('/');
  auto pattern = JavaRegex::compile(path.substr(slash + 1), JavaRegex::Mode::full);
  if (!pattern.ok()) return pattern.status().with_context(key);
  Headers headers;
  for (const auto& [header, value] : settings.below("headers." + name + ".")) headers.set(header, value);
  return taildir::FileGroup{name, slash == 0 ? "/" : path.substr(0, slash), std::move(*pattern), std::move(headers)};
}

// A part of the descriptors that the process may have.
std::size_t open_limit() { return std::max<std::size_t>(64, descriptor_limit() / 2); }

taildir::TailReader::Options reader_options(const Settings& settings, Environment& environment) {
  taildir::TailReader::Options options;
  options.batch_size = static_cast<std::size_t>(settings.integer("batchSize"));
  options.max_batches = settings.integer("maxBatchCount");
  if (options.max_batches <= 0) {
    environment.log.warn("maxBatchCount is not above 0: using the default");
    options.max_batches = std::numeric_limits<std::int64_t>::max();
  }
  const std::uint64_t affordable = std::max<std::uint64_t>(environment.budget.intake_limit() / 8, 1);
  options.lines.max_length =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(settings.integer("maxLineLength")), affordable);
  options.lines.overlong =
      settings.choice("longLinePolicy") == "truncate" ? LineOptions::Overlong::truncate : LineOptions::Overlong::split;
  options.chunk_bytes = std::clamp<std::size_t>(affordable, 4096, options.chunk_bytes);
  options.byte_offset_header = settings.boolean("byteOffsetHeader");
  return options;
}

Result<std::unique_ptr<Source>> create(const Settings& settings, Environment& environment) {
  TaildirSource::Options options;
  for (const std::string& name : settings.list("filegroups")) {
    TRY_ASSIGN(taildir::FileGroup group, make_group(name, settings));
    options.groups.push_back(std::move(group));
  }
  if (options.groups.empty()) return Status(Code::invalid, "filegroups names no group");
  for (const auto& [key, value] : settings.below("headers.")) {
    const std::size_t dot = key.find('.');
    if (dot == std::string::npos || dot + 1 == key.size()) {
      environment.log.warn(
          fmt::format("headers.{} names no header and is ignored: write headers.<group>.<key> = {}", key, value));
    }
  }
  options.position_file = absolute_path(expand_home(settings.text("positionFile")));
  options.reader = reader_options(settings, environment);
  if (settings.boolean("fileHeader")) options.set.path_header = settings.text("fileHeaderKey");
  options.set.cache_listing = settings.boolean("cachePatternMatching");
  options.set.max_open = open_limit();
  options.skip_to_end = settings.boolean("skipToEnd");
  options.idle_timeout = settings.duration("idleTimeout");
  options.write_interval = settings.duration("writePosInterval");
  options.backoff_step = settings.duration("backoffSleepIncrement");
  options.backoff_limit = settings.duration("maxBackoffSleep");
  return std::unique_ptr<Source>(std::make_unique<TaildirSource>(std::move(options), environment));
}

}  // namespace

const ComponentInfo kTaildirInfo{
    .kind = ComponentKind::source,
    .name = "taildir",
    .class_names = kClassNames,
    .summary = "Follows growing files by pattern, through rotation, and keeps its place over restarts.",
    .options = kOptions,
    .batch_option = "batchSize",
};
const SourceFactory kTaildirSource{&kTaildirInfo, create};

}  // namespace standpipe
