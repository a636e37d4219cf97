#include "channels/spillablememory/spillable_options.h"

#include <algorithm>

#include "core/channel_options.h"

namespace standpipe::spillable {

namespace {

constexpr std::string_view kClassNames[] = {"org.apache.flume.channel.SpillableMemoryChannel"};

constexpr Option kOptions[] = {
    channel_options::events("memoryCapacity", "10000", "Events that memory holds at most; 0: disk only.", true, 0),
    channel_options::events("overflowCapacity", "100000000", "Events that the disk holds at most; 0: memory only.",
                            true, 0),
    {.name = "overflowTimeout",
     .kind = Kind::duration,
     .fallback = "3",
     .help = "How long a put waits when neither memory nor disk has room. A put that finds memory full goes to disk at "
             "once.",
     .unit = "s",
     .min = 0},
    {.name = "overflowDeactivationThreshold",
     .kind = Kind::integer,
     .fallback = "5",
     .help = "Share of memoryCapacity that must be free before events go to memory again.",
     .unit = "percent",
     .min = 0,
     .max = 100},
    channel_options::byte_capacity("Bytes of bodies and headers that memory holds at most; 0: no limit of its own. "
                                   "Default: 80 % of the process's memory budget."),
    channel_options::kByteCapacityBufferPercentage,
    {.name = "avgEventSize",
     .kind = Kind::integer,
     .fallback = "500",
     .help = "The size of the slots in which Flume counts bytes.",
     .unit = "bytes",
     .min = 1,
     .no_effect = "bodies and headers are counted as they are"},
    {.name = "capacity",
     .kind = Kind::integer,
     .help = "Flume overwrites it.",
     .no_effect = "memoryCapacity and overflowCapacity take its place"},
    {.name = "keep-alive",
     .kind = Kind::duration,
     .help = "Flume overwrites it.",
     .unit = "s",
     .no_effect = "overflowTimeout takes its place"},
};

bool is_own(std::string_view name) {
  return std::any_of(std::begin(kOptions), std::end(kOptions), [&](const Option& own) { return own.name == name; });
}

struct Table {
  Parts parts{};
  std::vector<Option> options{std::begin(kOptions), std::end(kOptions)};
  ComponentInfo info{.kind = ComponentKind::channel,
                     .name = "spillablememory",
                     .class_names = kClassNames,
                     .summary = "Keeps events in memory and, when that is full, on disk.",
                     .acknowledges = "in the memory of this process, or on disk once that is full"};
};

Table& table() {
  static Table only;
  return only;
}

// What the user set for a part, without what is the spillable channel's own.
Settings::Map handed_on(const Settings& settings, const ComponentInfo& part) {
  Settings::Map values;
  for (const auto& [key, value] : settings.values()) {
    if (!is_own(key) && find_option(part, key) != nullptr) values.emplace(key, value);
  }
  return values;
}

}  // namespace

const Parts& parts() { return table().parts; }

const ComponentInfo& table_over(Parts parts) {
  Table& made = table();
  if (made.parts.memory != nullptr) return made.info;
  made.parts = parts;
  for (const Option& option : parts.overflow->info->options) {
    if (!is_own(option.name)) made.options.push_back(option);
  }
  made.info.options = made.options;
  return made.info;
}

std::optional<Settings> memory_settings(const Settings& settings) {
  const std::int64_t capacity = settings.integer("memoryCapacity");
  if (capacity == 0) return std::nullopt;
  Settings::Map values;
  values["capacity"] = std::to_string(capacity);
  values["transactionCapacity"] = std::to_string(std::min(capacity, settings.integer("transactionCapacity")));
  if (settings.has("byteCapacity")) values["byteCapacity"] = settings.text("byteCapacity");
  return Settings::unchecked(*parts().memory->info, std::move(values));
}

std::optional<Settings> overflow_settings(const Settings& settings) {
  std::int64_t capacity = settings.integer("overflowCapacity");
  if (capacity == 0) {
    if (settings.integer("memoryCapacity") > 0) return std::nullopt;
    capacity = 100'000'000;  // as in Flume: a channel without any room makes no sense
  }
  Settings::Map values = handed_on(settings, *parts().overflow->info);
  values["capacity"] = std::to_string(capacity);
  values["transactionCapacity"] = std::to_string(std::min(capacity, settings.integer("transactionCapacity")));
  return Settings::unchecked(*parts().overflow->info, std::move(values));
}

SpillableChannel::Options channel_options(const Settings& settings) {
  const std::int64_t memory = settings.integer("memoryCapacity");
  return {settings.integer("transactionCapacity"),
          (memory * settings.integer("overflowDeactivationThreshold") + 99) / 100,
          settings.duration("overflowTimeout")};
}

}  // namespace standpipe::spillable
