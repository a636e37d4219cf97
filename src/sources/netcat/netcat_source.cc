#include "sources/netcat/netcat_source.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "net/session_set.h"
#include "sources/netcat/netcat_session.h"

namespace standpipe {

namespace {

constexpr Option kOptions[] = {
    {.name = "bind",
     .kind = Kind::host,
     .fallback = "127.0.0.1",
     .help = "host name or address to listen on; 0.0.0.0: all of them"},
    {.name = "port", .kind = Kind::port, .help = "TCP port", .required = true},
    {.name = "max-line-length",
     .kind = Kind::integer,
     .fallback = "512",
     .help = "longest line in characters, its line feed included",
     .min = 2,
     .max = 16 << 20},
    {.name = "ack-every-event", .kind = Kind::boolean, .fallback = "true", .help = "answer OK to every stored line"},
    {.name = "encoding",
     .kind = Kind::charset,
     .fallback = "utf-8",
     .help = "charset of the lines that arrive; bodies are UTF-8 whatever it is"},
};
constexpr std::string_view kClassNames[] = {"org.apache.flume.source.NetcatSource"};
constexpr ComponentInfo kInfo{.kind = ComponentKind::source,
                              .name = "netcat",
                              .class_names = kClassNames,
                              .summary = "Takes lines over TCP and answers each with OK.",
                              .options = kOptions};

/// See netcat_source.h. start() and stop() come from the runner; sessions live on the loop.
class NetcatSource final : public Source {
 public:
  NetcatSource(const Settings& settings, Environment& environment)
      : settings_(settings),
        environment_(environment),
        sessions_(environment.counters.counter(counter_names::kOpenConnections)) {}
  ~NetcatSource() override { stop(); }

  Status start(Ingest& ingest) override {
    shared_ = std::make_unique<NetcatShared>(environment_, ingest,
                                             static_cast<std::size_t>(settings_.integer("max-line-length")),
                                             settings_.boolean("ack-every-event"), settings_.text("encoding"));
    ListenOptions options;
    options.host = settings_.text("bind");
    options.port = static_cast<std::uint16_t>(settings_.integer("port"));
    options.log = &environment_.log;
    TRY_ASSIGN(listener_, environment_.network->listen(options, [this](std::unique_ptr<Connection> connection) {
      open(std::move(connection));
    }));
    environment_.log.info(fmt::format("listening on {}:{}", options.host, listener_->port()));
    return {};
  }

  void stop() override {
    if (shared_ == nullptr) return;
    environment_.network->run([this] { listener_ = nullptr; });
    sessions_.stop(*environment_.network, environment_.clock);
    shared_ = nullptr;
  }

 private:
  void open(std::unique_ptr<Connection> connection) {
    auto decoder = TextDecoder::make(shared_->encoding);
    CHECK(decoder.ok());  // create() has tried it
    auto session = std::make_shared<NetcatSession>(*shared_, std::move(decoder).value(), std::move(connection),
                                                   [this](NetcatSession& ended) { sessions_.remove(ended); });
    sessions_.add(session);
    session->start();
  }

  const Settings settings_;
  Environment& environment_;
  std::unique_ptr<NetcatShared> shared_;
  std::unique_ptr<Listener> listener_;
  SessionSet<NetcatSession> sessions_;
};

}  // namespace

const SourceFactory kNetcatSource{
    &kInfo, [](const Settings& settings, Environment& environment) -> Result<std::unique_ptr<Source>> {
      const auto decoder = TextDecoder::make(settings.text("encoding"));
      if (!decoder.ok()) return decoder.status().with_context("encoding: ");
      if (environment.network == nullptr) return Status(Code::invalid, "the netcat source needs a network");
      return std::unique_ptr<Source>(std::make_unique<NetcatSource>(settings, environment));
    }};

}  // namespace standpipe
