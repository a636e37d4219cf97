#include "sources/avro/avro_source.h"

#include <optional>
#include <unordered_map>

#include "base/log.h"
#include "net/deflated_connection.h"
#include "net/first_byte.h"
#include "net/name_lookup.h"
#include "net/peer_filter.h"
#include "net/tls_options.h"
#include "rpc/server_options.h"
#include "sources/avro/avro_session.h"

namespace standpipe {

namespace {

constexpr char kTlsHandshake = 0x16;

constexpr Option kOptions[] = {
    rpc::server_options::kBind,
    rpc::server_options::kPort,
    {.name = "threads",
     .kind = Kind::integer,
     .fallback = "0",
     .help = "Number of worker threads.",
     .min = 0,
     .no_effect = "all network sources share one small pool of threads; Flume ignores it too since 1.10"},
    rpc::server_options::kMaxRequest,
    rpc::server_options::kStallTimeout,
    {.name = "compression-type",
     .kind = Kind::choice,
     .fallback = "none",
     .help = "Compression of the connection; the sender must agree.",
     .choices = "none|deflate"},
    {.name = "ipFilter",
     .kind = Kind::boolean,
     .fallback = "false",
     .help = "Whether ipFilterRules decide who may "
             "connect."},
    {.name = "ipFilterRules",
     .kind = Kind::comma_list,
     .help = "Rules tried in order, each allow or deny, then ip or name, then a pattern, joined by colons."},
    tls_options::kServerSsl,
    tls_options::kServerKeystore,
    tls_options::kKeystorePassword,
    tls_options::kKeystoreType,
    tls_options::kNeedClientAuth,
    tls_options::kServerTruststore,
    tls_options::kTruststorePassword,
    tls_options::kTruststoreType,
    tls_options::kExcludeProtocols,
    tls_options::kIncludeProtocols,
    tls_options::kExcludeCipherSuites,
    tls_options::kIncludeCipherSuites,
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.AvroSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "avro",
                              .class_names = kClassNames,
                              .summary = "Receives events by Avro RPC from another agent or a client.",
                              .options = kOptions};

/// See avro_source.h. start() and stop() come from the runner; sessions live on the loop.
class AvroSource final : public Source {
 public:
  AvroSource(const Settings& settings, Environment& environment, std::shared_ptr<const TlsContext> tls,
             std::optional<PeerFilter> filter)
      : settings_(settings),
        environment_(environment),
        tls_(std::move(tls)),
        filter_(std::move(filter)),
        deflate_(settings.choice("compression-type") == "deflate"),
        server_(environment, rpc::server_options::source_rules(settings, environment)) {}
  ~AvroSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ =
        std::make_unique<AvroShared>(environment_, ingest, rpc::server_options::max_request(settings_, environment_));
    if (filter_ && filter_->asks_for_names()) {
      names_ = std::make_unique<NameLookup>(*environment_.network, environment_.clock);
    }
    return server_.start(settings_.text("bind"), static_cast<std::uint16_t>(settings_.integer("port")),
                         [this](std::unique_ptr<Connection> connection) { accept(std::move(connection)); });
  }

  void stop() override {
    if (shared_ == nullptr) return;
    server_.finish();
    environment_.network->run([this] {
      names_ = nullptr;
      nameless_.clear();
    });
    server_.stop();
    shared_ = nullptr;
  }

 private:
  /// A connection whose name must be known first.
  struct Nameless {
    std::unique_ptr<Connection> connection;
    std::unique_ptr<Timer> too_late;
  };

  void accept(std::unique_ptr<Connection> connection) {
    const auto verdict = filter_ ? filter_->judge(connection->peer()) : PeerFilter::Verdict::allow;
    if (verdict == PeerFilter::Verdict::needs_name) return ask_for_name(std::move(connection));
    if (verdict == PeerFilter::Verdict::deny) return refuse(*connection);
    open(std::move(connection));
  }

  /// Nothing is read meanwhile.
  void ask_for_name(std::unique_ptr<Connection> connection) {
    const std::uint64_t number = next_nameless_++;
    const std::string address(PeerFilter::address_of(connection->peer()));
    auto too_late = environment_.network->call_after(server_.rules().patience, [this, number] {
      const auto node = nameless_.extract(number);
      refuse(*node.mapped().connection);
    });
    nameless_.emplace(number, Nameless{std::move(connection), std::move(too_late)});
    names_->find(address, [this, number](const std::string& name) {
      auto node = nameless_.extract(number);
      if (node.empty()) return;  // it had to wait for too long
      auto named = std::move(node.mapped().connection);
      filter_->allows(named->peer(), name) ? open(std::move(named)) : refuse(*named);
    });
  }

  void refuse(const Connection& connection) { server_.refuse(connection.peer(), "ipFilterRules deny it"); }

  void open(std::unique_ptr<Connection> connection) {
    server_.open(std::make_shared<AvroSession>(server_, *shared_, decoded(std::move(connection))));
  }

  /// Flume 1.9 and older encrypt what is compressed, later ones compress what is encrypted: the first byte tells.
  std::unique_ptr<Connection> decoded(std::unique_ptr<Connection> connection) {
    if (tls_ == nullptr) return deflate_ ? compressed(std::move(connection)) : std::move(connection);
    if (!deflate_) return encrypted(std::move(connection));
    return by_first_byte(
        std::move(connection),
        [this](std::unique_ptr<Connection> below, char first) {
          return first == kTlsHandshake ? compressed(encrypted(std::move(below)))
                                        : encrypted(compressed(std::move(below)));
        },
        *environment_.network);
  }

  std::unique_ptr<Connection> encrypted(std::unique_ptr<Connection> connection) {
    return tls_server(std::move(connection), tls_, *environment_.network);
  }

  /// Answers are short: they need little of a compressor's memory, and there may be very many connections.
  std::unique_ptr<Connection> compressed(std::unique_ptr<Connection> connection) {
    return deflated(std::move(connection), {.small = true}, *environment_.network);
  }

  const Settings settings_;
  Environment& environment_;
  const std::shared_ptr<const TlsContext> tls_;  // null: none
  const std::optional<PeerFilter> filter_;
  const bool deflate_;
  rpc::Server server_;
  std::unique_ptr<AvroShared> shared_;
  std::unique_ptr<NameLookup> names_;  // loop's thread only, as the next; null: nobody is asked
  std::unordered_map<std::uint64_t, Nameless> nameless_;
  std::uint64_t next_nameless_ = 0;
};

Result<std::optional<PeerFilter>> make_filter(const Settings& settings, Log& log) {
  if (!settings.boolean("ipFilter")) {
    if (settings.has("ipFilterRules")) {
      log.warn("ipFilterRules count only with ipFilter = true: without it everybody may connect");
    }
    return std::optional<PeerFilter>();
  }
  TRY_ASSIGN(PeerFilter filter, PeerFilter::parse(settings.list("ipFilterRules")));
  return std::optional<PeerFilter>(std::move(filter));
}

}  // namespace

const SourceFactory kAvroSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      TRY_ASSIGN(auto filter, make_filter(settings, environment.log));
      TRY_ASSIGN(auto tls, tls_options::server(settings));
      if (environment.network == nullptr) return Status(Code::invalid, "the avro source needs a network");
      return std::unique_ptr<Source>(
          std::make_unique<AvroSource>(settings, environment, std::move(tls), std::move(filter)));
    }};

}  // namespace standpipe
