#include <filesystem>

#include <fmt/format.h>

#include "sources/spooldir/spooldir_source.h"

namespace standpipe {

namespace {

using spooldir::ConsumeOrder;

constexpr Option kOptions[] = {
    {.name = "spoolDir", .kind = Kind::path, .help = "folder that complete files are dropped into", .required = true},
    {.name = "fileSuffix",
     .kind = Kind::name,
     .fallback = ".COMPLETED",
     .help = "what is appended to the name of a finished file"},
    {.name = "deletePolicy",
     .kind = Kind::choice,
     .fallback = "never",
     .help = "whether finished files are deleted",
     .choices = "never|immediate"},
    {.name = "trackingPolicy",
     .kind = Kind::choice,
     .fallback = "rename",
     .help =
         "how finished files are told: renamed, or an empty marker in trackerDir (the folder itself may be read-only)",
     .choices = "rename|tracker_dir"},
    {.name = "trackerDir",
     .kind = Kind::path,
     .fallback = ".flumespool",
     .help = "folder of the position and of the markers; relative: under spoolDir"},
    {.name = "fileHeader", .kind = Kind::boolean, .fallback = "false", .help = "add a header with the absolute path"},
    {.name = "fileHeaderKey", .kind = Kind::name, .fallback = "file", .help = "name of that header"},
    {.name = "basenameHeader", .kind = Kind::boolean, .fallback = "false", .help = "add a header with the file's name"},
    {.name = "basenameHeaderKey", .kind = Kind::name, .fallback = "basename", .help = "name of that header"},
    {.name = "includePattern",
     .kind = Kind::regex,
     .fallback = "^.*$",
     .help = "Java regular expression that the whole name of a file must match"},
    {.name = "ignorePattern",
     .kind = Kind::regex,
     .fallback = "^$",
     .help = "files and folders whose whole name matches are passed over; stronger than includePattern"},
    {.name = "consumeOrder",
     .kind = Kind::choice,
     .fallback = "oldest",
     .help = "which file is next: by time of change, then name; or as the folder lists them",
     .choices = "oldest|youngest|random"},
    {.name = "recursiveDirectorySearch",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "read folders below as well"},
    {.name = "pollDelay",
     .kind = Kind::duration,
     .fallback = "500",
     .help = "how often the folder is listed",
     .unit = "ms",
     .min = 1},
    {.name = "batchSize",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "events a batch",
     .unit = "events",
     .min = 1},
    {.name = "maxBackoff",
     .kind = Kind::duration,
     .fallback = "4000",
     .help = "longest pause after the channel refused a batch; the first is 250 ms, each doubles",
     .unit = "ms",
     .min = 1},
    {.name = "inputCharset", .kind = Kind::charset, .fallback = "UTF-8", .help = "charset of the files"},
    {.name = "decodeErrorPolicy",
     .kind = Kind::choice,
     .fallback = "FAIL",
     .help = "bytes that the charset does not know: set the file aside, replace them by U+FFFD, or drop them",
     .choices = "FAIL|REPLACE|IGNORE"},
    {.name = "deserializer",
     .kind = Kind::type,
     .fallback = "LINE",
     .help = "what makes events of a file: LINE, AVRO, BLOB or Flume's class name",
     .choices = "deserializer"},
    {.name = "deserializer.*", .help = "settings of the deserializer"},
    {.name = "bufferMaxLineLength",
     .kind = Kind::integer,
     .help = "older name of deserializer.maxLineLength",
     .min = 1,
     .max = 64 << 20},
    {.name = "bufferMaxLines",
     .kind = Kind::integer,
     .fallback = "100",
     .help = "lines that were kept in memory",
     .no_effect = "it had none in Flume either; memory is bounded by the process's budget"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.SpoolDirectorySource"};

std::string absolute_path(const std::string& path) {
  std::string full = std::filesystem::absolute(path).string();
  while (full.size() > 1 && full.ends_with('/')) full.pop_back();
  return full;
}

ConsumeOrder order_of(const std::string& text) {
  return text == "random" ? ConsumeOrder::random : text == "youngest" ? ConsumeOrder::youngest : ConsumeOrder::oldest;
}

OnMalformed policy_of(const std::string& text) {
  return text == "replace" ? OnMalformed::replace : text == "ignore" ? OnMalformed::ignore : OnMalformed::fail;
}

Result<JavaRegex> pattern(const Settings& settings, std::string_view key) {
  auto regex = JavaRegex::compile(settings.text(key), JavaRegex::Mode::full);
  if (!regex.ok()) return regex.status().with_context(key);
  return regex;
}

Result<Settings> deserializer_settings(const Settings& settings, const DeserializerFactory& factory) {
  Settings::Map values = settings.below("deserializer.");
  if (settings.has("bufferMaxLineLength") && factory.info == kLineDeserializer.info &&
      !values.contains("maxLineLength")) {
    values["maxLineLength"] = settings.text("bufferMaxLineLength");
  }
  auto parsed = Settings::parse(*factory.info, std::move(values));
  if (!parsed.ok()) return parsed.status().with_context("deserializer");
  return parsed;
}

Result<std::unique_ptr<Source>> create(const Settings& settings, Environment& environment) {
  const DeserializerFactory* deserializer = find_deserializer(settings.text("deserializer"));
  if (deserializer == nullptr) {
    return Status(Code::invalid,
                  fmt::format("deserializer = {}: there is LINE, AVRO and BLOB", settings.text("deserializer")));
  }
  TRY_ASSIGN(Settings nested, deserializer_settings(settings, *deserializer));
  TRY_ASSIGN(JavaRegex include, pattern(settings, "includePattern"));
  TRY_ASSIGN(JavaRegex ignore, pattern(settings, "ignorePattern"));
  if (const Status known = Charset::find(settings.text("inputCharset")).status(); !known.ok())
    return known.with_context("inputCharset");
  if (const auto charset = nested.values().find("outputCharset"); charset != nested.values().end()) {
    if (const Status known = Charset::find(charset->second).status(); !known.ok())
      return known.with_context("deserializer.outputCharset");
  }
  const std::string folder = absolute_path(settings.text("spoolDir"));
  const std::string tracker = settings.text("trackerDir");
  const bool rename = settings.choice("trackingPolicy") == "rename";
  if (rename && settings.text("fileSuffix").empty() && settings.choice("deletePolicy") == "never") {
    return Status(Code::invalid,
                  "fileSuffix is empty: finished files could not be told from new ones; give a suffix, or "
                  "use deletePolicy = immediate or trackingPolicy = tracker_dir");
  }
  SpooldirSource::Options options{
      .directory = {.path = folder,
                    .suffix = settings.text("fileSuffix"),
                    .tracker_directory = absolute_path(tracker.starts_with('/') ? tracker : folder + "/" + tracker),
                    .delete_finished = settings.choice("deletePolicy") == "immediate",
                    .rename_finished = rename,
                    .recursive = settings.boolean("recursiveDirectorySearch"),
                    .order = order_of(settings.choice("consumeOrder")),
                    .include = std::move(include),
                    .ignore = std::move(ignore)},
      .path_header = settings.boolean("fileHeader") ? settings.text("fileHeaderKey") : "",
      .basename_header = settings.boolean("basenameHeader") ? settings.text("basenameHeaderKey") : "",
      .charset = settings.text("inputCharset"),
      .on_error = policy_of(settings.choice("decodeErrorPolicy")),
      .deserializer = deserializer,
      .deserializer_settings = std::move(nested),
      .batch_size = static_cast<std::size_t>(settings.integer("batchSize")),
      .poll_delay = settings.duration("pollDelay"),
      .max_backoff = settings.duration("maxBackoff"),
  };
  return std::unique_ptr<Source>(std::make_unique<SpooldirSource>(std::move(options), environment));
}

}  // namespace

const ComponentInfo kSpooldirInfo{
    .kind = ComponentKind::source,
    .name = "spooldir",
    .class_names = kClassNames,
    .summary = "Reads files that were dropped whole into a folder, each once.",
    .options = kOptions,
    .batch_option = "batchSize",
};
const SourceFactory kSpooldirSource{&kSpooldirInfo, create};

}  // namespace standpipe
