// Sinks that Flume has and this program does not run yet: those that write to a database, a table or a search index.

#include <array>

#include "config/known/groups.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

// --- hive ---

constexpr std::array kHiveOptions{
    required({"hive.metastore", Kind::text, "", "Address of the metastore, thrift://host:port."}),
    required({"hive.database", Kind::name, "", "Database of the table."}),
    required({"hive.table", Kind::name, "", "Table to write to."}),
    Option{"hive.partition", Kind::comma_list, "", "Partition values in order; may hold header and time escapes."},
    number("hive.txnsPerBatchAsk", "100", 1, "Transactions to ask Hive for at a time."),
    events("batchSize", "15000", 1, "Most events in one Hive transaction."),
    Option{"idleTimeout", Kind::duration, "0", "How long a writer may be unused before it is closed; 0 means for ever.",
           "ms"},
    millis("callTimeout", "10000", 0, "Longest time for one request to Hive."),
    seconds("heartBeatInterval", "240", 0, "How often open transactions are kept alive; 0 means never."),
    number("maxOpenConnections", "500", 1, "Most partitions written at the same time."),
    flag("autoCreatePartitions", "true", "Whether missing partitions are made."),
    flag("useLocalTimeStamp", "false", "Whether time escapes use the agent's clock instead of the timestamp header."),
    Option{"timeZone", Kind::name, "", "Time zone of the time escapes; without it the machine's."},
    flag("round", "false", "Whether the time of the escapes is rounded down."),
    choice("roundUnit", "minute", "hour|minute|second", "Unit that the time is rounded to."),
    number("roundValue", "1", 1, "Multiple of roundUnit that the time is rounded to."),
    required(nested("serializer", "", "serializer", "How a body becomes columns: DELIMITED or JSON.")),
    Option{"serializer.*", Kind::text, "", "Settings of the serializer."},
};
constexpr std::string_view kHiveClasses[] = {"org.apache.flume.sink.hive.HiveSink"};
constexpr ComponentInfo kHive{.kind = ComponentKind::sink,
                              .name = "hive",
                              .class_names = kHiveClasses,
                              .summary = "Writes events into a transactional Hive table.",
                              .options = kHiveOptions,
                              .built = false,
                              .batch_option = "batchSize",
                              .acknowledges = "committed in Hive"};

// --- hbase, hbase2, asynchbase ---

constexpr std::array kHbaseCommon{
    required({"table", Kind::name, "", "Table to write to; it must exist."}),
    required({"columnFamily", Kind::name, "", "Column family to write to."}),
    events("batchSize", "100", 1, "Most events in one batch.", kLong),
    Option{"serializer.*", Kind::text, "", "Settings of the serializer."},
    flag("enableWal", "true", "Whether HBase logs each write; without it a crash of a region server loses data."),
    flag("coalesceIncrements", "false", "Whether increments of one cell in a batch are added up first."),
};

constexpr std::array kHbaseClient{
    Option{"zookeeperQuorum", Kind::comma_list, "",
           "ZooKeeper servers as host:port; without it those of hbase-site.xml."},
    Option{"znodeParent", Kind::text, "", "HBase's node in ZooKeeper; without it that of hbase-site.xml."},
    Option{"kerberosPrincipal", Kind::name, "", "Kerberos principal to log in as."},
    Option{"kerberosKeytab", Kind::path, "", "Key table of that principal."},
};

constexpr std::string_view kHbaseAck = "HBase has stored the batch";

constexpr std::array kHbaseOptions =
    join(kHbaseCommon, kHbaseClient,
         std::array{nested("serializer", "org.apache.flume.sink.hbase.SimpleHbaseEventSerializer", "serializer",
                           "How an event becomes cells.")});
constexpr std::string_view kHbaseClasses[] = {"org.apache.flume.sink.hbase.HBaseSink"};
constexpr ComponentInfo kHbase{.kind = ComponentKind::sink,
                               .name = "hbase",
                               .class_names = kHbaseClasses,
                               .summary = "Writes events into an HBase 1 table.",
                               .options = kHbaseOptions,
                               .built = false,
                               .batch_option = "batchSize",
                               .acknowledges = kHbaseAck};

constexpr std::array kHbase2Options =
    join(kHbaseCommon, kHbaseClient,
         std::array{nested("serializer", "org.apache.flume.sink.hbase2.SimpleHBase2EventSerializer", "serializer",
                           "How an event becomes cells.")});
constexpr std::string_view kHbase2Classes[] = {"org.apache.flume.sink.hbase2.HBase2Sink"};
constexpr ComponentInfo kHbase2{.kind = ComponentKind::sink,
                                .name = "hbase2",
                                .class_names = kHbase2Classes,
                                .summary = "Writes events into an HBase 2 table.",
                                .options = kHbase2Options,
                                .built = false,
                                .batch_option = "batchSize",
                                .acknowledges = kHbaseAck};

constexpr std::array kAsyncHbaseOptions = join(
    kHbaseCommon,
    std::array{
        nested("serializer", "org.apache.flume.sink.hbase.SimpleAsyncHbaseEventSerializer", "serializer",
               "How an event becomes cells."),
        lenient(millis("timeout", "60000", 1, "Longest time for a batch.")),
        number("maxConsecutiveFails", "10", 0, "Failures in a row after which the connection is made anew; 0: never."),
        Option{"zookeeperQuorum", Kind::comma_list, "",
               "ZooKeeper servers as host:port; without it those of hbase-site.xml."},
        Option{"znodeParent", Kind::text, "/hbase", "HBase's node in ZooKeeper."},
        Option{"async.*", Kind::text, "", "Settings of the asynchronous client library."},
    });
constexpr std::string_view kAsyncHbaseClasses[] = {"org.apache.flume.sink.hbase.AsyncHBaseSink"};
constexpr ComponentInfo kAsyncHbase{.kind = ComponentKind::sink,
                                    .name = "asynchbase",
                                    .class_names = kAsyncHbaseClasses,
                                    .summary = "Writes events into an HBase table by the asynchronous client.",
                                    .options = kAsyncHbaseOptions,
                                    .built = false,
                                    .batch_option = "batchSize",
                                    .acknowledges = kHbaseAck};

// --- morphline_solr ---

constexpr std::array kMorphlineOptions{
    required({"morphlineFile", Kind::path, "", "File with the morphline."}),
    Option{"morphlineId", Kind::name, "", "Which morphline of the file; without it the first."},
    Option{"morphlineVariable.*", Kind::text, "", "Value of a variable in the file."},
    events("batchSize", "1000", 1, "Most events in one batch."),
    millis("batchDurationMillis", "1000", 1, "Longest time that a batch is collected."),
    Option{"handlerClass", Kind::name, "org.apache.flume.sink.solr.morphline.MorphlineHandlerImpl",
           "Java class that runs the morphline."},
    flag("isProductionMode", "false", "Whether errors are passed over rather than stopping the sink."),
    flag("isIgnoringRecoverableExceptions", "false", "Whether errors that may pass are passed over too."),
    Option{"recoverableExceptionClasses", Kind::comma_list, "org.apache.solr.client.solrj.SolrServerException",
           "Java exceptions that count as errors that may pass."},
};
constexpr std::string_view kMorphlineClasses[] = {"org.apache.flume.sink.solr.morphline.MorphlineSolrSink",
                                                  "org.apache.flume.sink.solr.morphline.MorphlineSink"};
constexpr ComponentInfo kMorphline{.kind = ComponentKind::sink,
                                   .name = "morphline_solr",
                                   .class_names = kMorphlineClasses,
                                   .summary = "Transforms events by a morphline and loads them into Solr.",
                                   .options = kMorphlineOptions,
                                   .built = false,
                                   .batch_option = "batchSize",
                                   .acknowledges = "the morphline's transaction has been committed"};

// --- elasticsearch, as in Flume 1.9 ---

constexpr std::array kElasticOptions{
    required({"hostNames", Kind::comma_list, "", "Servers as host:port."}),
    Option{"indexName", Kind::text, "flume", "Beginning of the index name; may hold header escapes."},
    Option{"indexType", Kind::text, "log", "Type of the documents; may hold header escapes."},
    Option{"clusterName", Kind::name, "elasticsearch", "Name of the cluster."},
    events("batchSize", "100", 1, "Most events in one request."),
    Option{"ttl", Kind::text, "",
           "How long documents are kept: a number and ms, s, m, h, d or w; without it for ever."},
    nested("serializer", "org.apache.flume.sink.elasticsearch.ElasticSearchLogStashEventSerializer", "serializer",
           "How an event becomes a document."),
    Option{"serializer.*", Kind::text, "", "Settings of the serializer."},
    Option{"indexNameBuilder", Kind::name, "org.apache.flume.sink.elasticsearch.TimeBasedIndexNameBuilder",
           "How the index name is made from indexName and the time."},
    Option{"indexNameBuilder.*", Kind::text, "", "Settings of the index name builder."},
    choice("client", "transport", "transport|rest", "Protocol to speak."),
    Option{"client.*", Kind::text, "", "Settings of the client."},
};
constexpr std::string_view kElasticClasses[] = {"org.apache.flume.sink.elasticsearch.ElasticSearchSink"};
constexpr ComponentInfo kElastic{.kind = ComponentKind::sink,
                                 .name = "elasticsearch",
                                 .class_names = kElasticClasses,
                                 .summary = "Indexes events in Elasticsearch; Flume itself dropped it after 1.9.",
                                 .options = kElasticOptions,
                                 .built = false,
                                 .batch_option = "batchSize",
                                 .acknowledges = "Elasticsearch has accepted the request"};

// --- kudu ---

constexpr std::array kKuduOptions{
    required({"masterAddresses", Kind::comma_list, "", "Kudu masters as host:port."}),
    required({"tableName", Kind::name, "", "Table to write to."}),
    events("batchSize", "1000", 1, "Most events in one batch."),
    millis("timeoutMillis", "30000", 0, "Longest time for one request to Kudu."),
    flag("ignoreDuplicateRows", "true", "Whether a row that exists already is passed over."),
    nested("producer", "org.apache.flume.sink.kudu.SimpleKuduOperationsProducer", "serializer",
           "How an event becomes rows."),
    Option{"producer.*", Kind::text, "", "Settings of the producer."},
    Option{"kerberosPrincipal", Kind::name, "", "Kerberos principal to log in as."},
    Option{"kerberosKeytab", Kind::path, "", "Key table of that principal."},
    Option{"proxyUser", Kind::name, "", "User to act as."},
};
constexpr std::string_view kKuduClasses[] = {"org.apache.flume.sink.kudu.KuduSink"};
constexpr ComponentInfo kKudu{.kind = ComponentKind::sink,
                              .name = "kudu",
                              .class_names = kKuduClasses,
                              .summary = "Writes events into a Kudu table.",
                              .options = kKuduOptions,
                              .built = false,
                              .batch_option = "batchSize",
                              .acknowledges = "Kudu has stored the batch"};

// --- dataset, as in Flume 1.9 ---

constexpr std::array kDatasetOptions{
    Option{"kite.dataset.uri", Kind::text, "",
           "URI of the data set; needed unless kite.repo.uri and kite.dataset.name are there."},
    Option{"kite.repo.uri", Kind::text, "", "Older form: URI of the repository that holds the data set."},
    Option{"kite.dataset.name", Kind::name, "", "Older form: name of the data set in that repository."},
    Option{"kite.dataset.namespace", Kind::name, "", "Older form: name space of the data set in that repository."},
    events("kite.batchSize", "100", 1, "Most events in one batch.", kLong),
    seconds("kite.rollInterval", "30", 0, "How often a file is closed and the next begun."),
    flag("kite.flushable.commiteOnBatch", "true", "Whether each batch is flushed before it counts as delivered."),
    flag("kite.syncable.syncOnBatch", "true", "Whether each batch is on disk before it counts as delivered."),
    Option{"kite.entityParser", Kind::name, "avro", "How a body becomes a record: avro or a Java class."},
    Option{"kite.failurePolicy", Kind::name, "retry", "What happens to a record that can't be written: retry or save."},
    Option{"kite.error.dataset.uri", Kind::text, "", "Data set that such records are saved to."},
    Option{"auth.kerberosPrincipal", Kind::name, "", "Kerberos principal to log in as."},
    Option{"auth.kerberosKeytab", Kind::path, "", "Key table of that principal."},
    Option{"auth.proxyUser", Kind::name, "", "User to act as."},
};
constexpr std::string_view kDatasetClasses[] = {"org.apache.flume.sink.kite.DatasetSink"};
constexpr ComponentInfo kDataset{.kind = ComponentKind::sink,
                                 .name = "dataset",
                                 .class_names = kDatasetClasses,
                                 .summary = "Writes records into a Kite data set; Flume itself dropped it after 1.9.",
                                 .options = kDatasetOptions,
                                 .built = false,
                                 .batch_option = "kite.batchSize",
                                 .acknowledges = "flushed or synced, as kite.flushable and kite.syncable ask"};

constexpr const ComponentInfo* kStorageSinks[] = {&kHive,      &kHbase,   &kHbase2, &kAsyncHbase,
                                                  &kMorphline, &kElastic, &kKudu,   &kDataset};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_storage_sinks() { return kStorageSinks; }

}  // namespace standpipe
