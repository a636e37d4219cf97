#pragma once

#include <string>
#include <string_view>

#include "config/load.h"

/// For tests of this folder: a handful of components that stand for all, and one-line access to a load.
namespace standpipe::config_test {

inline constexpr Option kNetcatOptions[] = {
    {.name = "bind", .kind = Kind::host, .help = "address to listen on", .required = true},
    {.name = "port", .kind = Kind::port, .help = "port to listen on", .required = true},
    {.name = "ack-every-event", .kind = Kind::boolean, .fallback = "true"},
    {.name = "max-line-length", .kind = Kind::integer, .fallback = "512", .unit = "bytes", .min = 1},
};
inline constexpr std::string_view kNetcatClasses[] = {"org.apache.flume.source.NetcatSource"};
inline constexpr ComponentInfo kNetcat = {
    .kind = ComponentKind::source, .name = "netcat", .class_names = kNetcatClasses, .options = kNetcatOptions};

inline constexpr Option kSpoolOptions[] = {
    {.name = "spoolDir", .kind = Kind::path, .required = true},
    {.name = "batchSize", .kind = Kind::integer, .fallback = "100", .min = 1},
    {.name = "includePattern", .kind = Kind::regex, .fallback = "^.*$"},
    {.name = "password", .kind = Kind::secret},
    {.name = "command", .kind = Kind::command},
    {.name = "maxAge", .kind = Kind::integer},
    {.name = "deletePolicy", .kind = Kind::choice, .fallback = "never", .choices = "never|immediate"},
    {.name = "deserializer", .kind = Kind::type, .fallback = "LINE", .choices = "deserializer"},
    {.name = "deserializer.*", .kind = Kind::text},
    {.name = "inputCharset", .kind = Kind::charset, .fallback = "UTF-8"},
    {.name = "topics", .kind = Kind::comma_list},
    {.name = "note", .kind = Kind::text},
    {.name = "fileSuffix", .kind = Kind::text},
};
inline constexpr ComponentInfo kSpool = {
    .kind = ComponentKind::source, .name = "spooldir", .options = kSpoolOptions, .batch_option = "batchSize"};

inline constexpr std::string_view kKafkaSourceClasses[] = {"org.apache.flume.source.kafka.KafkaSource"};
inline constexpr ComponentInfo kKafkaSource = {
    .kind = ComponentKind::source, .name = "", .class_names = kKafkaSourceClasses, .built = false};

inline constexpr Option kLineOptions[] = {
    {.name = "maxLineLength", .kind = Kind::integer, .fallback = "2048", .min = 1}};
inline constexpr ComponentInfo kLine = {.kind = ComponentKind::deserializer, .name = "LINE", .options = kLineOptions};
inline constexpr ComponentInfo kAvroRecords = {.kind = ComponentKind::deserializer, .name = "AVRO", .built = false};

inline constexpr Option kMemoryOptions[] = {
    {.name = "capacity", .kind = Kind::integer, .fallback = "100", .lenient = true, .min = 1},
    {.name = "transactionCapacity", .kind = Kind::integer, .fallback = "100", .lenient = true, .min = 1},
    {.name = "keep-alive", .kind = Kind::duration, .fallback = "3", .unit = "s"},
    {.name = "onFull", .kind = Kind::choice, .fallback = "wait", .choices = "wait|drop"},
};
inline constexpr std::string_view kMemoryClasses[] = {"org.apache.flume.channel.MemoryChannel"};
inline constexpr ComponentInfo kMemory = {
    .kind = ComponentKind::channel, .name = "memory", .class_names = kMemoryClasses, .options = kMemoryOptions};
inline constexpr Option kFileOptions[] = {
    {.name = "checkpointDir", .kind = Kind::path, .own_folder = true},
    {.name = "dataDirs", .kind = Kind::comma_list, .own_folder = true},
    {.name = "fsyncPerTransaction", .kind = Kind::boolean, .fallback = "true", .no_effect = "every put is synced"}};
inline constexpr ComponentInfo kFile = {.kind = ComponentKind::channel, .name = "file", .options = kFileOptions};

inline constexpr ComponentInfo kLogger = {
    .kind = ComponentKind::sink, .name = "logger", .acknowledges = "the line was logged"};
inline constexpr Option kHdfsOptions[] = {
    {.name = "hdfs.path", .kind = Kind::path, .required = true},
    {.name = "hdfs.filePrefix", .kind = Kind::text, .fallback = "FlumeData"},
    {.name = "hdfs.batchSize", .kind = Kind::integer, .fallback = "100", .min = 1},
    {.name = "hdfs.rollCount", .kind = Kind::integer, .fallback = "10", .aliases = "hdfs.rollEvents"},
    {.name = "hdfs.threadsPoolSize", .kind = Kind::integer, .no_effect = "there are no thread pools here"},
};
inline constexpr std::string_view kHdfsClasses[] = {"org.apache.flume.sink.hdfs.HDFSEventSink"};
inline constexpr ComponentInfo kHdfs = {.kind = ComponentKind::sink,
                                        .name = "hdfs",
                                        .class_names = kHdfsClasses,
                                        .options = kHdfsOptions,
                                        .batch_option = "hdfs.batchSize"};

inline constexpr Option kStaticOptions[] = {{.name = "key", .kind = Kind::name, .fallback = "key"},
                                            {.name = "value", .kind = Kind::text, .fallback = "value"}};
inline constexpr ComponentInfo kStatic = {
    .kind = ComponentKind::interceptor, .name = "static", .options = kStaticOptions};
inline constexpr std::string_view kHostClasses[] = {"org.apache.flume.interceptor.HostInterceptor$Builder"};
inline constexpr ComponentInfo kHost = {
    .kind = ComponentKind::interceptor, .name = "host", .class_names = kHostClasses};

inline constexpr Option kReplicatingOptions[] = {{.name = "optional", .kind = Kind::list}};
inline constexpr ComponentInfo kReplicating = {
    .kind = ComponentKind::selector, .name = "replicating", .options = kReplicatingOptions};
inline constexpr Option kMultiplexingOptions[] = {{.name = "header", .kind = Kind::name},
                                                  {.name = "mapping.*", .kind = Kind::list},
                                                  {.name = "default", .kind = Kind::list}};
inline constexpr ComponentInfo kMultiplexing = {
    .kind = ComponentKind::selector, .name = "multiplexing", .options = kMultiplexingOptions};

inline constexpr ComponentInfo kDefault = {.kind = ComponentKind::sink_processor, .name = "default"};
inline constexpr Option kFailoverOptions[] = {{.name = "priority.*", .kind = Kind::integer}};
inline constexpr ComponentInfo kFailover = {
    .kind = ComponentKind::sink_processor, .name = "failover", .options = kFailoverOptions};
inline constexpr ComponentInfo kLoadBalance = {.kind = ComponentKind::sink_processor, .name = "load_balance"};

inline constexpr const ComponentInfo* kInfos[] = {
    &kNetcat, &kSpool,  &kKafkaSource, &kLine,        &kAvroRecords,  &kMemory,  &kFile,     &kLogger,
    &kHdfs,   &kStatic, &kHost,        &kReplicating, &kMultiplexing, &kDefault, &kFailover, &kLoadBalance};

/// Loads one text as "t.conf".
inline Configuration load(std::string_view text, const Surroundings& surroundings = {}) {
  const ConfigText file{"t.conf", std::string(text)};
  return load_configuration({&file, 1}, Catalog(kInfos), surroundings);
}

/// "12 error unknown-type a1.sinks.k1.type", for comparison; notes are left out.
inline std::string line_of(const Diagnostic& found) {
  return std::to_string(found.line) + " " + std::string(to_string(found.severity)) + " " +
         std::string(to_string(found.code)) + " " + found.key;
}

inline std::vector<std::string> lines_of(const Configuration& configuration) {
  std::vector<std::string> lines;
  for (const Diagnostic& found : configuration.diagnostics) {
    if (found.severity != Severity::note) lines.push_back(line_of(found));
  }
  return lines;
}

/// A sound agent in lines 1 to 10; tests append their own from line 11 on.
inline constexpr std::string_view kBase =
    "a1.sources = r1\n"
    "a1.channels = c1\n"
    "a1.sinks = k1\n"
    "a1.sources.r1.type = netcat\n"
    "a1.sources.r1.bind = localhost\n"
    "a1.sources.r1.port = 44444\n"
    "a1.sources.r1.channels = c1\n"
    "a1.channels.c1.type = memory\n"
    "a1.sinks.k1.type = logger\n"
    "a1.sinks.k1.channel = c1\n";

inline std::string base_and(std::string_view more) { return std::string(kBase) + std::string(more); }

}  // namespace standpipe::config_test
