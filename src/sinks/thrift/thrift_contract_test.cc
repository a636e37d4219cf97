#include "contract/sink_contract.h"
#include "net/network.h"
#include "sinks/thrift/thrift_sink.h"
#include "support/thrift_server.h"

namespace standpipe::testing {
namespace {

/// Towards Flume, by each protocol, and towards a receiver of our own kind.
class ThriftSubject final : public SinkSubject {
 public:
  ThriftSubject(bool compact, unsigned window) : server_(compact), protocol_(compact ? "compact" : "binary") {
    server_.grant(window);
  }

  std::unique_ptr<Sink> make(Environment& environment) override {
    environment.network = network_.get();
    const auto settings = Settings::parse(*kThriftSink.info, {{"hostname", "127.0.0.1"},
                                                              {"port", std::to_string(server_.port())},
                                                              {"protocol", protocol_},
                                                              {"batch-size", "7"}});
    return kThriftSink.create(*settings, environment).value();
  }
  std::vector<std::string> delivered() override { return server_.bodies(); }
  bool set_failing(bool failing) override {
    server_.say(failing ? ThriftTestServer::Says::failed : ThriftTestServer::Says::ok);
    return true;
  }

 private:
  std::unique_ptr<Network> network_ = make_network();
  ThriftTestServer server_;
  const std::string protocol_;
};

INSTANTIATE_TEST_SUITE_P(Thrift, SinkContract,
                         ::testing::Values(SinkUnderTest{[] { return std::make_unique<ThriftSubject>(true, 0u); }},
                                           SinkUnderTest{[] { return std::make_unique<ThriftSubject>(false, 0u); }},
                                           SinkUnderTest{[] { return std::make_unique<ThriftSubject>(true, 8u); }}));

}  // namespace
}  // namespace standpipe::testing
