// Channels that Flume has and this program does not run yet.

#include <array>

#include "config/known/groups.h"
#include "config/known/table.h"

namespace standpipe {

namespace {

using namespace table;

// --- jdbc ---

constexpr std::array kJdbcOptions{
    also(choice("db.type", "DERBY", "DERBY|MYSQL", "Kind of database."), "org.apache.flume.channel.jdbc.db.type"),
    also({"driver.class", Kind::name, "org.apache.derby.jdbc.EmbeddedDriver", "Java class of the database driver."},
         "org.apache.flume.channel.jdbc.driver.class"),
    also({"driver.url", Kind::name, "", "Address of the database; without it a local Derby database."},
         "org.apache.flume.channel.jdbc.driver.url"),
    also({"db.username", Kind::name, "sa", "User to log in as."}, "org.apache.flume.channel.jdbc.db.username"),
    also({"db.password", Kind::secret, "", "Password of that user."}, "org.apache.flume.channel.jdbc.db.password"),
    also({"connection.properties.file", Kind::path, "", "File with more settings of the connection."},
         "org.apache.flume.channel.jdbc.connection.properties.file"),
    also(flag("create.schema", "true", "Whether missing tables are made."),
         "org.apache.flume.channel.jdbc.create.schema"),
    also(flag("create.index", "true", "Whether the tables get indexes."), "org.apache.flume.channel.jdbc.create.index"),
    also(flag("create.foreignkey", "true", "Whether the tables get foreign keys."),
         "org.apache.flume.channel.jdbc.create.foreignkey"),
    also(choice("transaction.isolation", "READ_COMMITTED",
                "READ_UNCOMMITTED|READ_COMMITTED|REPEATABLE_READ|SERIALIZABLE", "Isolation of transactions."),
         "org.apache.flume.channel.jdbc.transaction.isolation"),
    also(number("maximum.connections", "10", 1, "Most connections to the database."),
         "org.apache.flume.channel.jdbc.maximum.connections"),
    also(events("maximum.capacity", "0", 0, "Most events of all channels in the database; 0 sets no limit.", kLong),
         "org.apache.flume.channel.jdbc.maximum.capacity"),
    no_effect({"sysprop.*", Kind::text, "", "Java system property for the driver."},
              "sets a property of the Java machine, which is not here"),
};
constexpr std::string_view kJdbcClasses[] = {"org.apache.flume.channel.jdbc.JdbcChannel"};
constexpr ComponentInfo kJdbc{.kind = ComponentKind::channel,
                              .name = "jdbc",
                              .class_names = kJdbcClasses,
                              .summary = "Keeps events in a database.",
                              .options = kJdbcOptions,
                              .built = false,
                              .acknowledges = "committed in the database"};

// --- kafka ---

constexpr std::string_view kKafkaHolds = "the events are in Kafka, whose topic has no capacity of this kind";
constexpr std::string_view kOldClient = "a setting of the Kafka 0.8 client, which Flume stopped reading in 1.7";
constexpr std::array kKafkaOptions{
    required(also({"kafka.bootstrap.servers", Kind::comma_list, "", "Brokers as host:port."}, "brokerList")),
    also({"kafka.topic", Kind::name, "flume-channel", "Topic that holds the events."}, "topic"),
    also({"kafka.consumer.group.id", Kind::name, "flume", "Consumer group of the channel's sinks."}, "groupId"),
    choice("kafka.consumer.auto.offset.reset", "earliest", "earliest|latest|none",
           "Where a group without an offset begins."),
    flag("readSmallestOffset", "false",
         "Old form of kafka.consumer.auto.offset.reset: true means earliest, false latest."),
    millis("kafka.pollTimeout", "500", 0, "How long a take waits for records."),
    flag("parseAsFlumeEvent", "true", "Whether records are Avro-encoded events; false stores bodies only."),
    number("defaultPartitionId", "", 0, "Partition for all events."),
    Option{"partitionIdHeader", Kind::name, "", "Header with the number of an event's partition."},
    flag("migrateZookeeperOffsets", "true", "Whether a new group starts from offsets kept in ZooKeeper."),
    Option{"zookeeperConnect", Kind::comma_list, "", "ZooKeeper servers, to find old offsets."},
    choice("kafka.producer.security.protocol", "PLAINTEXT", "PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL",
           "How the brokers are spoken to when events are put."),
    choice("kafka.consumer.security.protocol", "PLAINTEXT", "PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL",
           "How the brokers are spoken to when events are taken."),
    flag("kafka.producer.ssl.disableTLSHostnameVerification", "false",
         "Whether the name in the broker's certificate goes unchecked when events are put."),
    flag("kafka.consumer.ssl.disableTLSHostnameVerification", "false",
         "Whether the name in the broker's certificate goes unchecked when events are taken."),
    Option{"kafka.producer.ssl.keystore.password", Kind::secret, "", "Password of the client's key store."},
    Option{"kafka.producer.ssl.key.password", Kind::secret, "", "Password of the client's key."},
    Option{"kafka.producer.ssl.truststore.password", Kind::secret, "", "Password of the trust store."},
    Option{"kafka.producer.sasl.jaas.config", Kind::secret, "", "SASL login, with user and password."},
    Option{"kafka.consumer.ssl.keystore.password", Kind::secret, "", "Password of the client's key store."},
    Option{"kafka.consumer.ssl.key.password", Kind::secret, "", "Password of the client's key."},
    Option{"kafka.consumer.ssl.truststore.password", Kind::secret, "", "Password of the trust store."},
    Option{"kafka.consumer.sasl.jaas.config", Kind::secret, "", "SASL login, with user and password."},
    Option{"kafka.producer.*", Kind::text, "", "Any other setting of the Kafka producer."},
    Option{"kafka.consumer.*", Kind::text, "", "Any other setting of the Kafka consumer."},
    no_effect(events("capacity", "", 0, "Most events in the channel."), kKafkaHolds),
    no_effect(events("transactionCapacity", "", 0, "Most events in one transaction."), kKafkaHolds),
    no_effect({"auto.offset.reset", Kind::name, "", "Where a group without an offset begins."},
              "write kafka.consumer.auto.offset.reset"),
    no_effect({"timeout", Kind::duration, "", "Poll time-out.", "ms"}, "write kafka.pollTimeout"),
    no_effect({"metadata.broker.list", Kind::comma_list, "", "Brokers."}, "write kafka.bootstrap.servers"),
    no_effect({"request.required.acks", Kind::name, "", "Acknowledgements."}, "write kafka.producer.acks"),
    no_effect(flag("auto.commit.enable", "", "Offset commits of the old consumer."), kOldClient),
    no_effect({"consumer.timeout.ms", Kind::duration, "", "Poll time-out of the old consumer.", "ms"}, kOldClient),
};
constexpr std::string_view kKafkaClasses[] = {"org.apache.flume.channel.kafka.KafkaChannel"};
constexpr ComponentInfo kKafka{.kind = ComponentKind::channel,
                               .name = "kafka",
                               .class_names = kKafkaClasses,
                               .summary = "Keeps events in a topic of a Kafka cluster.",
                               .options = kKafkaOptions,
                               .built = false,
                               .acknowledges = "acknowledged by Kafka, as kafka.producer.acks asks (all)"};

constexpr const ComponentInfo* kChannels[] = {&kJdbc, &kKafka};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_channels() { return kChannels; }

}  // namespace standpipe
