// Sinks that Flume has and this program does not run yet: those that send to another program. The ones that write to a
// data store are in known_storage_sinks.cc.

#include <array>

#include "config/known/groups.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

// --- kafka ---

constexpr std::string_view kOldProducer = "a setting of the Kafka 0.8 producer, which Flume stopped reading in 1.7";
constexpr std::array kKafkaOptions{
    required(also({"kafka.bootstrap.servers", Kind::comma_list, "", "Brokers as host:port."}, "brokerList")),
    also({"kafka.topic", Kind::name, "default-flume-topic", "Topic to write to; may hold header and time escapes."},
         "topic"),
    also(events("flumeBatchSize", "100", 1, "Most events in one batch."), "batchSize"),
    also({"kafka.producer.acks", Kind::name, "1", "How many brokers must have a record: 0, 1 or all."}, "requiredAcks"),
    flag("useFlumeEventFormat", "false", "Whether record values are Avro-encoded events with headers."),
    number("defaultPartitionId", "", 0, "Partition for all events."),
    Option{"partitionIdHeader", Kind::name, "", "Header with the number of an event's partition."},
    flag("allowTopicOverride", "true", "Whether a header may choose the topic."),
    Option{"topicHeader", Kind::name, "topic", "Name of that header."},
    Option{"timestampHeader", Kind::name, "", "Header with the record's time stamp in milliseconds."},
    Option{"header.*", Kind::name, "", "Kafka header that gets the event header named by the key."},
    choice("kafka.producer.security.protocol", "PLAINTEXT", "PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL",
           "How the brokers are spoken to."),
    flag("kafka.producer.ssl.disableTLSHostnameVerification", "false",
         "Whether the name in the broker's certificate goes unchecked."),
    Option{"kafka.producer.ssl.keystore.password", Kind::secret, "", "Password of the client's key store."},
    Option{"kafka.producer.ssl.key.password", Kind::secret, "", "Password of the client's key."},
    Option{"kafka.producer.ssl.truststore.password", Kind::secret, "", "Password of the trust store."},
    Option{"kafka.producer.sasl.jaas.config", Kind::secret, "", "SASL login, with user and password."},
    Option{"kafka.producer.*", Kind::text, "", "Any other setting of the Kafka producer."},
    no_effect({"serializer.class", Kind::name, "", "Java serializer of values."},
              "bodies are written as they are; set useFlumeEventFormat for headers"),
    no_effect({"key.serializer.class", Kind::name, "", "Java serializer of keys."}, "keys are written as text"),
    no_effect({"metadata.broker.list", Kind::comma_list, "", "Brokers."}, "write kafka.bootstrap.servers"),
    no_effect({"request.required.acks", Kind::name, "", "Acknowledgements."}, "write kafka.producer.acks"),
    no_effect({"producer.type", Kind::name, "", "Whether the old producer sent in the background."}, kOldProducer),
};
constexpr std::string_view kKafkaClasses[] = {"org.apache.flume.sink.kafka.KafkaSink"};
constexpr ComponentInfo kKafka{.kind = ComponentKind::sink,
                               .name = "kafka",
                               .class_names = kKafkaClasses,
                               .summary = "Writes events to topics of a Kafka cluster.",
                               .options = kKafkaOptions,
                               .built = false,
                               .batch_option = "flumeBatchSize",
                               .acknowledges = "acknowledged by Kafka, as kafka.producer.acks asks"};

// --- http ---

constexpr std::array kHttpOptions{
    required({"endpoint", Kind::name, "", "URL that events are posted to."}),
    millis("connectTimeout", "5000", 1, "Longest time to connect."),
    millis("requestTimeout", "5000", 1, "Longest time to wait for an answer."),
    Option{"contentTypeHeader", Kind::text, "text/plain", "Content-Type of the requests."},
    Option{"acceptHeader", Kind::text, "text/plain", "Accept header of the requests."},
    flag("defaultBackoff", "true", "Whether to pause after an answer that no backoff.* covers."),
    flag("defaultRollback", "true", "Whether an answer that no rollback.* covers puts the event back."),
    flag("defaultIncrementMetrics", "false", "Whether an answer that no incrementMetrics.* covers is counted."),
    Option{"backoff.*", Kind::boolean, "", "Whether to pause after this status code, such as 503 or 5XX."},
    Option{"rollback.*", Kind::boolean, "",
           "Whether this status code puts the event back; without rollback.2XX = false nothing is ever delivered."},
    Option{"incrementMetrics.*", Kind::boolean, "", "Whether this status code counts as a delivered event."},
};
constexpr std::string_view kHttpClasses[] = {"org.apache.flume.sink.http.HttpSink"};
constexpr ComponentInfo kHttp{.kind = ComponentKind::sink,
                              .name = "http",
                              .class_names = kHttpClasses,
                              .summary = "Posts each event to a web server.",
                              .options = kHttpOptions,
                              .built = false,
                              .acknowledges = "the server has answered with a status that rollback.* accepts"};

// --- irc ---

constexpr std::array kIrcOptions{
    required({"hostname", Kind::host, "", "IRC server."}),
    Option{"port", Kind::port, "6667", "Port of the server."},
    required({"nick", Kind::name, "", "Nick name to use."}),
    Option{"user", Kind::name, "", "User name."},
    Option{"password", Kind::secret, "", "Password of that user."},
    Option{"name", Kind::text, "", "Real name to show."},
    required({"chan", Kind::name, "", "IRC channel to write to, without its leading #."}),
    flag("splitlines", "false", "Whether a body is sent in several messages."),
    Option{"splitchars", Kind::regex, "\\n", "Where a body is cut in that case."},
};
constexpr std::string_view kIrcClasses[] = {"org.apache.flume.sink.irc.IRCSink"};
constexpr ComponentInfo kIrc{.kind = ComponentKind::sink,
                             .name = "irc",
                             .class_names = kIrcClasses,
                             .summary = "Writes events as messages into an IRC channel.",
                             .options = kIrcOptions,
                             .built = false,
                             .acknowledges = "handed to the connection; the server confirms nothing"};

constexpr const ComponentInfo* kSinks[] = {&kKafka, &kHttp, &kIrc};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_sinks() { return kSinks; }

}  // namespace standpipe
