// Handlers of the http source and serializers of sinks that this program does not run yet. Most have no alias in Flume
// and are named by their class.

#include <array>

#include "config/known/groups.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

// --- handlers of the http source ---

constexpr std::string_view kJsonHandlerClasses[] = {"org.apache.flume.source.http.JSONHandler"};
constexpr ComponentInfo kJsonHandler{.kind = ComponentKind::handler,
                                     .name = "json",
                                     .class_names = kJsonHandlerClasses,
                                     .summary = "Reads a JSON array of events with headers and body.",
                                     .built = false};

constexpr std::array kBlobHandlerOptions{
    Option{"mandatoryParameters", Kind::comma_list, "", "Request parameters that must be there."},
};
constexpr std::string_view kBlobHandlerClasses[] = {"org.apache.flume.source.http.BLOBHandler"};
constexpr ComponentInfo kBlobHandler{
    .kind = ComponentKind::handler,
    .name = "blob",
    .class_names = kBlobHandlerClasses,
    .summary = "Makes one event of a request: parameters are headers, the body the body.",
    .options = kBlobHandlerOptions,
    .built = false};

constexpr std::array kLimitedBlobOptions{
    bytes("maxBlobLength", "100000000", 1, "Longest body; the rest is cut off."),
};
constexpr std::string_view kLimitedBlobClasses[] = {"org.apache.flume.sink.solr.morphline.BlobHandler"};
constexpr ComponentInfo kLimitedBlob{.kind = ComponentKind::handler,
                                     .name = "limited_blob",
                                     .class_names = kLimitedBlobClasses,
                                     .summary = "Makes one event of a request, of limited length.",
                                     .options = kLimitedBlobOptions,
                                     .built = false};

// --- hdfs and file_roll ---

constexpr std::array kAvroDatumOptions{
    bytes("syncIntervalBytes", "2048000", 1, "Size of a block of the Avro file."),
    choice("compressionCodec", "null", "null|deflate|snappy|bzip2|xz|zstandard", "Compression of the blocks."),
    Option{"schemaURL", Kind::text, "", "Schema of events that name none in their headers."},
};
constexpr std::string_view kAvroDatumClasses[] = {"org.apache.flume.sink.hdfs.AvroEventSerializer$Builder"};
constexpr ComponentInfo kAvroDatum{
    .kind = ComponentKind::serializer,
    .name = "avro_datum",
    .class_names = kAvroDatumClasses,
    .summary = "Writes bodies that are Avro records already, with the schema from a header.",
    .options = kAvroDatumOptions,
    .built = false};

// --- hive ---

constexpr std::array kDelimitedOptions{
    Option{"delimiter", Kind::text, ",",
           "What stands between the fields of a body; double quotes round it are removed."},
    required({"fieldnames", Kind::comma_list, "", "Column of each field in order; an empty name skips a field."}),
    Option{"serdeSeparator", Kind::text, "", "What the table's format wants between fields; without it Ctrl-A."},
};
constexpr std::string_view kDelimitedClasses[] = {"org.apache.flume.sink.hive.HiveDelimitedTextSerializer"};
constexpr ComponentInfo kDelimited{.kind = ComponentKind::serializer,
                                   .name = "delimited",
                                   .class_names = kDelimitedClasses,
                                   .summary = "Cuts bodies into fields for a Hive table.",
                                   .options = kDelimitedOptions,
                                   .built = false};

constexpr std::string_view kJsonClasses[] = {"org.apache.flume.sink.hive.HiveJsonSerializer"};
constexpr ComponentInfo kJson{.kind = ComponentKind::serializer,
                              .name = "json",
                              .class_names = kJsonClasses,
                              .summary = "Takes bodies that are JSON objects for a Hive table.",
                              .built = false};

// --- hbase ---

constexpr std::array kSimpleHbaseOptions{
    Option{"rowPrefix", Kind::name, "default", "Beginning of each row key."},
    choice("suffix", "uuid", "uuid|random|timestamp|nano", "What follows the prefix in a row key."),
    Option{"payloadColumn", Kind::name, "pCol", "Column that gets the body."},
    Option{"incrementColumn", Kind::name, "iCol", "Column whose counter grows with each event."},
    Option{"incrementRow", Kind::name, "incRow", "Row that holds the counter."},
};
constexpr std::string_view kSimpleHbaseClasses[] = {"org.apache.flume.sink.hbase.SimpleHbaseEventSerializer",
                                                    "org.apache.flume.sink.hbase2.SimpleHBase2EventSerializer"};
constexpr ComponentInfo kSimpleHbase{.kind = ComponentKind::serializer,
                                     .name = "simple_hbase",
                                     .class_names = kSimpleHbaseClasses,
                                     .summary = "Writes the body into one column and counts events in another.",
                                     .options = kSimpleHbaseOptions,
                                     .built = false};

constexpr std::string_view kSimpleAsyncClasses[] = {"org.apache.flume.sink.hbase.SimpleAsyncHbaseEventSerializer"};
constexpr ComponentInfo kSimpleAsync{.kind = ComponentKind::serializer,
                                     .name = "simple_async_hbase",
                                     .class_names = kSimpleAsyncClasses,
                                     .summary = "The simple HBase serializer for the asynchronous sink.",
                                     .options = kSimpleHbaseOptions,
                                     .built = false};

constexpr std::array kRegexHbaseOptions{
    Option{"regex", Kind::regex, "(.*)", "Pattern of a whole body; each group is a column."},
    flag("regexIgnoreCase", "false", "Whether the pattern ignores case."),
    Option{"colNames", Kind::comma_list, "payload", "Column of each group; ROW_KEY names the one with the row key."},
    number("rowKeyIndex", "-1", -1, "Which column, counted from 0, is the row key; -1 makes one up."),
    flag("depositHeaders", "false", "Whether headers are written as columns too."),
    Option{"charset", Kind::charset, "UTF-8", "Character set of bodies and headers."},
};
constexpr std::string_view kRegexHbaseClasses[] = {"org.apache.flume.sink.hbase.RegexHbaseEventSerializer",
                                                   "org.apache.flume.sink.hbase2.RegexHBase2EventSerializer"};
constexpr ComponentInfo kRegexHbase{.kind = ComponentKind::serializer,
                                    .name = "regex_hbase",
                                    .class_names = kRegexHbaseClasses,
                                    .summary = "Cuts bodies into columns by a regular expression.",
                                    .options = kRegexHbaseOptions,
                                    .built = false};

// --- elasticsearch ---

constexpr std::string_view kLogStashClasses[] = {
    "org.apache.flume.sink.elasticsearch.ElasticSearchLogStashEventSerializer"};
constexpr ComponentInfo kLogStash{.kind = ComponentKind::serializer,
                                  .name = "logstash",
                                  .class_names = kLogStashClasses,
                                  .summary = "Writes documents in the form that Logstash uses.",
                                  .built = false};

constexpr std::string_view kDynamicClasses[] = {"org.apache.flume.sink.elasticsearch.ElasticSearchDynamicSerializer"};
constexpr ComponentInfo kDynamic{.kind = ComponentKind::serializer,
                                 .name = "dynamic",
                                 .class_names = kDynamicClasses,
                                 .summary = "Writes documents with body and headers as fields.",
                                 .built = false};

// --- kudu ---

constexpr std::array kSimpleKuduOptions{
    Option{"payloadColumn", Kind::name, "payload", "Column that gets the body."},
};
constexpr std::string_view kSimpleKuduClasses[] = {"org.apache.flume.sink.kudu.SimpleKuduOperationsProducer"};
constexpr ComponentInfo kSimpleKudu{.kind = ComponentKind::serializer,
                                    .name = "simple_kudu",
                                    .class_names = kSimpleKuduClasses,
                                    .summary = "Writes the body into one column of a new row.",
                                    .options = kSimpleKuduOptions,
                                    .built = false};

constexpr std::array kKeyedKuduOptions{
    Option{"payloadColumn", Kind::name, "payload", "Column that gets the body."},
    Option{"keyColumn", Kind::name, "key", "Column that gets the header named key."},
    choice("operation", "upsert", "insert|upsert", "What is done when the row exists."),
};
constexpr std::string_view kKeyedKuduClasses[] = {"org.apache.flume.sink.kudu.SimpleKeyedKuduOperationsProducer"};
constexpr ComponentInfo kKeyedKudu{.kind = ComponentKind::serializer,
                                   .name = "keyed_kudu",
                                   .class_names = kKeyedKuduClasses,
                                   .summary = "Writes the body into one column of the row named by a header.",
                                   .options = kKeyedKuduOptions,
                                   .built = false};

constexpr std::string_view kPolicies = "REJECT|WARN|IGNORE";
constexpr std::string_view kSkipFlag = "an older form of the *Policy settings";
constexpr std::array kRegexKuduOptions{
    required({"pattern", Kind::regex, "", "Pattern of a body with named groups; each is a column."}),
    Option{"encoding", Kind::charset, "utf-8", "Character set of bodies."},
    choice("operation", "upsert", "insert|upsert", "What is done when the row exists."),
    choice("missingColumnPolicy", "REJECT", kPolicies, "What is done when a column has no group."),
    choice("badColumnValuePolicy", "REJECT", kPolicies, "What is done when a value does not fit its column."),
    choice("unmatchedRowPolicy", "WARN", kPolicies, "What is done when a body does not match."),
    no_effect(flag("skipMissingColumn", "false", "Whether missing columns are passed over."), kSkipFlag),
    no_effect(flag("skipBadColumnValue", "false", "Whether values that do not fit are passed over."), kSkipFlag),
    no_effect(flag("warnUnmatchedRows", "true", "Whether bodies that do not match are logged."), kSkipFlag),
};
constexpr std::string_view kRegexKuduClasses[] = {"org.apache.flume.sink.kudu.RegexpKuduOperationsProducer"};
constexpr ComponentInfo kRegexKudu{.kind = ComponentKind::serializer,
                                   .name = "regex_kudu",
                                   .class_names = kRegexKuduClasses,
                                   .summary = "Cuts bodies into columns of a Kudu table by a regular expression.",
                                   .options = kRegexKuduOptions,
                                   .built = false};

constexpr std::array kAvroKuduOptions{
    choice("operation", "upsert", "insert|upsert", "What is done when the row exists."),
    Option{"schemaPath", Kind::path, "", "Schema of events that name none in their headers."},
};
constexpr std::string_view kAvroKuduClasses[] = {"org.apache.flume.sink.kudu.AvroKuduOperationsProducer"};
constexpr ComponentInfo kAvroKudu{.kind = ComponentKind::serializer,
                                  .name = "avro_kudu",
                                  .class_names = kAvroKuduClasses,
                                  .summary = "Writes bodies that are Avro records into a Kudu table.",
                                  .options = kAvroKuduOptions,
                                  .built = false};

constexpr const ComponentInfo* kSerializers[] = {&kJsonHandler, &kBlobHandler, &kLimitedBlob, &kAvroDatum,  &kDelimited,
                                                 &kJson,        &kSimpleHbase, &kSimpleAsync, &kRegexHbase, &kLogStash,
                                                 &kDynamic,     &kSimpleKudu,  &kKeyedKudu,   &kRegexKudu,  &kAvroKudu};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_serializers() { return kSerializers; }

}  // namespace standpipe
