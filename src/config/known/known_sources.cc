// Sources that Flume has and this program does not run yet.

#include <array>

#include "config/known/groups.h"
#include "config/known/tls.h"

namespace standpipe {

namespace {

using namespace table;

constexpr Option kBind = required({"bind", Kind::host, "", "Address to listen on; 0.0.0.0 means all."});
constexpr Option kPort = required({"port", Kind::port, "", "Port to listen on."});

// --- jms ---

constexpr std::array kJmsOptions{
    required({"initialContextFactory", Kind::name, "", "Java class that opens the directory of the message broker."}),
    required({"providerURL", Kind::name, "", "Address of the message broker."}),
    required({"destinationName", Kind::name, "", "Queue or topic to read."}),
    required(choice("destinationType", "", "queue|topic", "Whether the destination is a queue or a topic.")),
    Option{"connectionFactory", Kind::text, "ConnectionFactory", "Name of the connection factory in the directory."},
    choice("destinationLocator", "CDI", "CDI|JNDI", "Whether the destination is made by name or looked up."),
    Option{"messageSelector", Kind::text, "", "JMS selector expression that messages must satisfy."},
    Option{"userName", Kind::name, "", "User to log in as."},
    Option{"passwordFile", Kind::path, "", "File with that user's password."},
    events("batchSize", "100", 1, "Most messages in one batch."),
    millis("pollTimeout", "1000", 0, "How long to wait for the first message of a batch."),
    number("errorThreshold", "10", 0, "Errors in a row after which the connection is made anew."),
    Option{"clientId", Kind::name, "", "Client name; a durable subscription needs one."},
    flag("createDurableSubscription", "false", "Whether a topic keeps messages while the agent is away."),
    Option{"durableSubscriptionName", Kind::name, "", "Name of the durable subscription."},
    Option{"converter.type", Kind::name, "DEFAULT", "How messages become events."},
    Option{"converter.charset", Kind::charset, "UTF-8", "Character set of text messages."},
    Option{"converter.converter.charset", Kind::charset, "UTF-8",
           "The same as converter.charset, under the key that Flume 1.11 reads by mistake."},
    Option{"converter.*", Kind::text, "", "Settings of a converter of one's own."},
};
constexpr std::string_view kJmsClasses[] = {"org.apache.flume.source.jms.JMSSource"};
constexpr ComponentInfo kJms{.kind = ComponentKind::source,
                             .name = "jms",
                             .class_names = kJmsClasses,
                             .summary = "Reads messages from a JMS queue or topic.",
                             .options = kJmsOptions,
                             .built = false,
                             .batch_option = "batchSize"};

// --- kafka ---

constexpr std::string_view kOldKafkaKey = "a key of Flume 1.6, which passed it to an older Kafka consumer";
constexpr std::array kKafkaOptions{
    Option{"kafka.bootstrap.servers", Kind::comma_list, "",
           "Brokers as host:port; needed unless zookeeperConnect is there to find them."},
    also({"kafka.topics", Kind::comma_list, "", "Topics to read; this or kafka.topics.regex is needed."}, "topic"),
    Option{"kafka.topics.regex", Kind::regex, "", "Pattern of the topics to read; wins over kafka.topics."},
    also({"kafka.consumer.group.id", Kind::name, "flume", "Consumer group that shares the partitions."}, "groupId"),
    events("batchSize", "1000", 1, "Most records in one batch."),
    millis("batchDurationMillis", "1000", 1, "Longest time that a batch is collected."),
    flag("useFlumeEventFormat", "false", "Whether record values are Avro-encoded events with headers."),
    flag("setTopicHeader", "true", "Whether events get a header with their topic."),
    Option{"topicHeader", Kind::name, "topic", "Name of that header."},
    Option{"header.*", Kind::name, "", "Kafka header to copy into the event header named by the key."},
    flag("migrateZookeeperOffsets", "true", "Whether a new group starts from offsets kept in ZooKeeper."),
    Option{"zookeeperConnect", Kind::comma_list, "",
           "ZooKeeper servers, to find old offsets and, without kafka.bootstrap.servers, the brokers."},
    no_effect({"kafka.consumer.timeout.ms", Kind::duration, "", "Poll time-out of the old consumer.", "ms"},
              kOldKafkaKey),
    no_effect(flag("kafka.auto.commit.enable", "", "Offset commits of the old consumer."), kOldKafkaKey),
    no_effect({"kafka.auto.offset.reset", Kind::name, "", "Where the old consumer began."},
              "a key of Flume 1.6; write kafka.consumer.auto.offset.reset = earliest or latest"),
    choice("kafka.consumer.security.protocol", "PLAINTEXT", "PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL",
           "How the brokers are spoken to."),
    flag("kafka.consumer.ssl.disableTLSHostnameVerification", "false",
         "Whether the name in the broker's certificate goes unchecked."),
    Option{"kafka.consumer.ssl.keystore.password", Kind::secret, "", "Password of the client's key store."},
    Option{"kafka.consumer.ssl.key.password", Kind::secret, "", "Password of the client's key."},
    Option{"kafka.consumer.ssl.truststore.password", Kind::secret, "", "Password of the trust store."},
    Option{"kafka.consumer.sasl.jaas.config", Kind::secret, "", "SASL login, with user and password."},
    Option{"kafka.consumer.*", Kind::text, "", "Any other setting of the Kafka consumer."},
};
constexpr std::string_view kKafkaClasses[] = {"org.apache.flume.source.kafka.KafkaSource"};
constexpr ComponentInfo kKafka{.kind = ComponentKind::source,
                               .name = "kafka",
                               .class_names = kKafkaClasses,
                               .summary = "Reads topics of a Kafka cluster as a member of a consumer group.",
                               .options = kKafkaOptions,
                               .built = false,
                               .batch_option = "batchSize"};

// --- syslog ---

constexpr std::array kSyslogCommon{
    Option{"keepFields", Kind::text, "none",
           "Header fields to leave in the body: none, all, or words out of priority version timestamp hostname."},
    Option{"clientIPHeader", Kind::name, "", "Header that gets the sender's address."},
    Option{"clientHostnameHeader", Kind::name, "", "Header that gets the sender's host name."},
};

constexpr std::array kSyslogFormat{
    Option{"format.regex", Kind::regex, "",
           "Pattern of a message; its groups are priority, version, time stamp, host and body."},
    Option{"format.search", Kind::regex, "", "Pattern to replace in the time stamp before it is read."},
    Option{"format.replace", Kind::text, "", "What format.search is replaced with."},
    Option{"format.dateFormat", Kind::text, "", "Java date pattern of the time stamp."},
};

constexpr std::array kSyslogTcpOptions = join(
    std::array{
        required({"host", Kind::host, "", "Address to listen on; 0.0.0.0 means all."}),
        kPort,
        bytes("eventSize", "2500", 1, "Longest message; the rest of a longer one becomes a message of its own."),
    },
    kSyslogCommon, kSyslogFormat, kTlsServer);
constexpr std::string_view kSyslogTcpClasses[] = {"org.apache.flume.source.SyslogTcpSource"};
constexpr ComponentInfo kSyslogTcp{.kind = ComponentKind::source,
                                   .name = "syslogtcp",
                                   .class_names = kSyslogTcpClasses,
                                   .summary = "Receives syslog messages over TCP on one port.",
                                   .options = kSyslogTcpOptions,
                                   .built = false};

constexpr std::array kSyslogUdpOptions = join(
    std::array{
        kPort,
        Option{"host", Kind::host, "0.0.0.0", "Address to listen on."},
    },
    kSyslogCommon, kSyslogFormat);
constexpr std::string_view kSyslogUdpClasses[] = {"org.apache.flume.source.SyslogUDPSource"};
constexpr ComponentInfo kSyslogUdp{.kind = ComponentKind::source,
                                   .name = "syslogudp",
                                   .class_names = kSyslogUdpClasses,
                                   .summary = "Receives syslog messages as UDP datagrams.",
                                   .options = kSyslogUdpOptions,
                                   .built = false};

constexpr std::array kMultiportOptions = join(
    std::array{
        required({"ports", Kind::list, "", "Ports to listen on."}),
        Option{"host", Kind::host, "0.0.0.0", "Address to listen on."},
        bytes("eventSize", "2500", 1, "Longest message, its line end included."),
        events("batchSize", "100", 1, "Most messages in one batch."),
        Option{"portHeader", Kind::name, "", "Header that gets the port on which a message came in."},
        Option{"charset.default", Kind::charset, "UTF-8", "Character set of messages."},
        Option{"charset.port.*", Kind::charset, "", "Character set of messages on the port named by the key."},
        bytes("readBufferBytes", "1024", 1, "Size of the buffer of a connection."),
        number("numProcessors", "", 1, "Number of threads; without it as many as there are processors."),
    },
    kSyslogCommon, kTlsServer);
constexpr std::string_view kMultiportClasses[] = {"org.apache.flume.source.MultiportSyslogTCPSource"};
constexpr ComponentInfo kMultiport{.kind = ComponentKind::source,
                                   .name = "multiport_syslogtcp",
                                   .class_names = kMultiportClasses,
                                   .summary = "Receives syslog messages over TCP on many ports.",
                                   .options = kMultiportOptions,
                                   .built = false,
                                   .batch_option = "batchSize"};

// --- netcatudp ---

constexpr std::array kNetcatUdpOptions{
    kPort,
    Option{"bind", Kind::host, "0.0.0.0", "Address to listen on."},
    Option{"remoteAddress", Kind::name, "", "Header that gets the sender's address; without it none is added."},
};
constexpr std::string_view kNetcatUdpClasses[] = {"org.apache.flume.source.NetcatUdpSource"};
constexpr ComponentInfo kNetcatUdp{.kind = ComponentKind::source,
                                   .name = "netcatudp",
                                   .class_names = kNetcatUdpClasses,
                                   .summary = "Turns each UDP datagram into an event.",
                                   .options = kNetcatUdpOptions,
                                   .built = false};

// --- http ---

constexpr std::string_view kJetty = "tunes the Jetty server of the Java program, which is not used here";
constexpr std::array kHttpOptions = join(std::array{
    kPort,
    Option{"bind", Kind::host, "0.0.0.0", "Address to listen on."},
    nested("handler", "org.apache.flume.source.http.JSONHandler", "handler", "How a request becomes events."),
    Option{"handler.*", Kind::text, "", "Settings of the handler."},
    no_effect({"QueuedThreadPool.*", Kind::text, "", "Jetty's thread pool."}, kJetty),
    no_effect({"HttpConfiguration.*", Kind::text, "", "Jetty's HTTP settings."}, kJetty),
    no_effect({"ServerConnector.*", Kind::text, "", "Jetty's connector."}, kJetty),
    no_effect({"SslContextFactory.*", Kind::text, "", "Jetty's TLS settings."}, kJetty),
    // Old names of three of the options that follow; the joined table keeps them as aliases.
    also(kTlsServer[0], "enableSSL"),
    kTlsServer[1],
    also(kTlsServer[2], "keystorePassword"),
    kTlsServer[3],
    also(kTlsLimits[0], "excludeProtocols"),
    kTlsLimits[1],
    kTlsLimits[2],
    kTlsLimits[3],
});
constexpr std::string_view kHttpClasses[] = {"org.apache.flume.source.http.HTTPSource"};
constexpr ComponentInfo kHttp{.kind = ComponentKind::source,
                              .name = "http",
                              .class_names = kHttpClasses,
                              .summary = "Receives events in the bodies of HTTP requests.",
                              .options = kHttpOptions,
                              .built = false};

// --- scribe and Flume 0.9 ---

constexpr std::array kScribeOptions{
    Option{"port", Kind::port, "1499", "Port to listen on."},
    bytes("maxReadBufferBytes", "16384000", 1, "Longest request."),
    lenient(number("workerThreads", "5", 1, "Number of worker threads.")),
};
constexpr std::string_view kScribeClasses[] = {"org.apache.flume.source.scribe.ScribeSource"};
constexpr ComponentInfo kScribe{.kind = ComponentKind::source,
                                .name = "scribe",
                                .class_names = kScribeClasses,
                                .summary = "Receives entries from Scribe clients.",
                                .options = kScribeOptions,
                                .built = false};

constexpr std::array kLegacyOptions{
    required({"host", Kind::host, "", "Address to listen on."}),
    kPort,
};
constexpr std::string_view kAvroLegacyClasses[] = {"org.apache.flume.source.avroLegacy.AvroLegacySource"};
constexpr ComponentInfo kAvroLegacy{.kind = ComponentKind::source,
                                    .name = "avro_legacy",
                                    .class_names = kAvroLegacyClasses,
                                    .summary = "Receives events by Avro over HTTP from Flume 0.9.",
                                    .options = kLegacyOptions,
                                    .built = false};
constexpr std::string_view kThriftLegacyClasses[] = {"org.apache.flume.source.thriftLegacy.ThriftLegacySource"};
constexpr ComponentInfo kThriftLegacy{.kind = ComponentKind::source,
                                      .name = "thrift_legacy",
                                      .class_names = kThriftLegacyClasses,
                                      .summary = "Receives events by Thrift from Flume 0.9.",
                                      .options = kLegacyOptions,
                                      .built = false};

// --- twitter ---

constexpr std::array kTwitterOptions{
    required({"consumerKey", Kind::secret, "", "Key of the application."}),
    required({"consumerSecret", Kind::secret, "", "Secret of the application."}),
    required({"accessToken", Kind::secret, "", "Token of the account."}),
    required({"accessTokenSecret", Kind::secret, "", "Secret of that token."}),
    events("maxBatchSize", "1000", 1, "Most messages in one event."),
    millis("maxBatchDurationMillis", "1000", 1, "Longest time that messages are collected for one event."),
};
constexpr std::string_view kTwitterClasses[] = {"org.apache.flume.source.twitter.TwitterSource"};
constexpr ComponentInfo kTwitter{.kind = ComponentKind::source,
                                 .name = "twitter",
                                 .class_names = kTwitterClasses,
                                 .summary = "Sampled Twitter messages, from an interface that has been shut down.",
                                 .options = kTwitterOptions,
                                 .built = false,
                                 .batch_option = "maxBatchSize"};

constexpr const ComponentInfo* kSources[] = {&kJms,  &kKafka,  &kSyslogTcp,  &kSyslogUdp,    &kMultiport, &kNetcatUdp,
                                             &kHttp, &kScribe, &kAvroLegacy, &kThriftLegacy, &kTwitter};

}  // namespace

std::span<const ComponentInfo* const> unbuilt_sources() { return kSources; }

}  // namespace standpipe
