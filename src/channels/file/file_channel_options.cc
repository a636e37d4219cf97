#include "channels/file/file_channel_options.h"

#include <algorithm>

#include "base/home.h"
#include "core/channel_options.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kClassNames[] = {"org.apache.flume.channel.file.FileChannel"};
constexpr std::uint64_t kLargestSegment = 64u << 20;
constexpr std::uint64_t kSmallestSegment = 64u << 10;
constexpr std::int64_t kLeastFree = 1u << 20;
constexpr std::string_view kDefaultFolder = "~/.flume/file-channel/";

constexpr std::string_view kStarts = "a start does not read the events, in whatever way";

constexpr Option kOptions[] = {
    {.name = "checkpointDir",
     .kind = Kind::path,
     .help = "Folder for what is known about the events; made if it is missing. Default: "
             "~/.flume/file-channel/<channel>/checkpoint.",
     .own_folder = true},
    {.name = "dataDirs",
     .kind = Kind::comma_list,
     .help = "Folders that hold the events, best on different disks; made if they are missing. Default: "
             "~/.flume/file-channel/<channel>/data.",
     .own_folder = true},
    channel_options::capacity("1000000"),
    channel_options::transaction_capacity("10000"),
    channel_options::keep_alive(false),
    {.name = "checkpointInterval",
     .kind = Kind::duration,
     .fallback = "30000",
     .help = "Time between two snapshots of which events are gone; at least a second.",
     .unit = "ms",
     .lenient = true,
     .min = 1},
    {.name = "maxFileSize",
     .kind = Kind::integer,
     .fallback = "1623195647",
     .help = "Size at which a segment of events is closed and the next begun. Segments are never larger than 64 MiB.",
     .unit = "bytes",
     .min = 1},
    {.name = "minimumRequiredSpace",
     .kind = Kind::integer,
     .fallback = "524288000",
     .help = "Free space below which no event is taken in; at least 1 MiB.",
     .unit = "bytes",
     .min = 0},
    {.name = "checkpointOnClose",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "Whether a snapshot is written when the channel stops."},
    {.name = "fsyncPerTransaction",
     .kind = Kind::boolean,
     .fallback = "true",
     .help = "Whether events are on the device before they count as stored.",
     .no_effect = "every put is synced before it counts as stored, together with all others that wait"},
    {.name = "fsyncInterval",
     .kind = Kind::duration,
     .fallback = "5",
     .help = "Time between two syncs where fsyncPerTransaction is false.",
     .unit = "s",
     .min = 1,
     .no_effect = "every put is synced before it counts as stored, together with all others that wait"},
    {.name = "useDualCheckpoints",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether a Flume whose folders are taken over kept a second checkpoint. The channel itself always keeps "
             "two snapshots, either of which is enough."},
    {.name = "backupCheckpointDir", .kind = Kind::path, .help = "Folder of that second checkpoint."},
    {.name = "compressBackupCheckpoint",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether the second copy is compressed.",
     .no_effect = "the last two snapshots are always kept, either of which is enough"},
    {.name = "use-log-replay-v1",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether the older way of reading the log at start is used.",
     .no_effect = kStarts},
    {.name = "use-fast-replay",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether the log is read at start without the queue.",
     .no_effect = kStarts},
    {.name = "encryption.keyProvider",
     .kind = Kind::name,
     .help = "Where keys come from: FILE, ENVIRONMENT or COMMAND. Naming it switches encryption on."},
    {.name = "encryption.activeKey",
     .kind = Kind::name,
     .help = "Name of the key that new events are encrypted with; NONE: new ones are written in clear, while keys are "
             "kept for older ones."},
    {.name = "encryption.cipherProvider",
     .kind = Kind::name,
     .fallback = "AES-256-GCM",
     .help = "Cipher; there is no other one."},
    {.name = "encryption.keyProvider.keys",
     .kind = Kind::list,
     .help = "Names of all keys that new events or those on disk need."},
    {.name = "encryption.keyProvider.keys.*.file",
     .kind = Kind::path,
     .help = "FILE: the file with the key, 64 hexadecimal digits or 32 bytes in base64; refused where others may read "
             "it."},
    {.name = "encryption.keyProvider.keys.*.variable",
     .kind = Kind::name,
     .help = "ENVIRONMENT: the variable that holds the key."},
    {.name = "encryption.keyProvider.keys.*.command",
     .kind = Kind::command,
     .help = "COMMAND: what prints the key; run without a shell when the channel starts. All commands of a channel "
             "together "
             "have 8 s; then they are killed, with what they started, and the start is tried again."},
    {.name = "encryption.keyProvider.keys.*.passwordFile",
     .kind = Kind::path,
     .help = "Flume's password of one key. A channel with it does not start: see below."},
    {.name = "encryption.keyProvider.keyStoreFile",
     .kind = Kind::path,
     .help = "Flume's key store. A channel with it does not start: see below."},
    {.name = "encryption.keyProvider.keyStorePasswordFile",
     .kind = Kind::path,
     .help = "Flume's password of the key store. A channel with it does not start: see below."},
};

std::string without_slash_at_end(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Folders read_folders(const Settings& settings, const Environment& environment) {
  const std::string own = std::string(kDefaultFolder) + environment.component + "/";
  Folders folders;
  folders.checkpoint = settings.optional_text("checkpointDir").value_or(own + "checkpoint");
  folders.data = settings.has("dataDirs") ? settings.list("dataDirs") : std::vector<std::string>();
  std::erase_if(folders.data, [](const std::string& folder) { return folder.empty(); });
  if (folders.data.empty()) folders.data.push_back(own + "data");
  if (!settings.has("checkpointDir") || !settings.has("dataDirs")) {
    for (const char* name : {"checkpoint", "data"}) {
      folders.defaults_of_flume.push_back(expand_home(std::string(kDefaultFolder) + name));
    }
  }
  folders.all_default = !settings.has("checkpointDir") && !settings.has("dataDirs");
  folders.checkpoint = without_slash_at_end(expand_home(folders.checkpoint));
  for (std::string& folder : folders.data) folder = without_slash_at_end(expand_home(folder));
  return folders;
}

}  // namespace

constexpr ComponentInfo kInfo{
    .kind = ComponentKind::channel,
    .name = "file",
    .class_names = kClassNames,
    .summary = "Keeps events on disk; what it has acknowledged survives a crash and a loss of power.",
    .options = kOptions,
    .acknowledges = "written to disk and synced",
};

Result<Options> read_options(const Settings& settings, Environment& environment) {
  TRY_ASSIGN(KeySource keys, read_key_source(settings));
  const std::int64_t capacity = settings.integer("capacity");
  Options options{
      .folders = read_folders(settings, environment),
      .limits = {capacity, channel_options::transaction_events(settings.integer("transactionCapacity"), capacity,
                                                               environment.log)},
      .keep_alive = settings.duration("keep-alive"),
      .checkpoint_interval = std::max(settings.duration("checkpointInterval"), std::chrono::milliseconds(1000)),
      .segment_size =
          std::clamp(static_cast<std::uint64_t>(settings.integer("maxFileSize")), kSmallestSegment, kLargestSegment),
      .minimum_free = static_cast<std::uint64_t>(std::max(settings.integer("minimumRequiredSpace"), kLeastFree)),
      .checkpoint_on_close = settings.boolean("checkpointOnClose"),
      .keys = std::move(keys),
      .from_flume = {},
  };
  options.from_flume = {
      .backup_checkpoint =
          settings.boolean("useDualCheckpoints")
              ? without_slash_at_end(expand_home(settings.optional_text("backupCheckpointDir").value_or("")))
              : std::string(),
      .options = {.segment_size = options.segment_size, .minimum_free = options.minimum_free}};
  return options;
}

}  // namespace standpipe::file_channel
