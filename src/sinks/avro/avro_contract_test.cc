#include "contract/sink_contract.h"
#include "net/network.h"
#include "sinks/avro/avro_sink.h"
#include "support/avro_server.h"

namespace standpipe::testing {
namespace {

/// Towards Flume, and towards a receiver of our own kind.
class AvroSubject final : public SinkSubject {
 public:
  explicit AvroSubject(unsigned window) { server_.grant(window); }

  std::unique_ptr<Sink> make(Environment& environment) override {
    environment.network = network_.get();
    const auto settings = Settings::parse(
        *kAvroSink.info, {{"hostname", "127.0.0.1"}, {"port", std::to_string(server_.port())}, {"batch-size", "7"}});
    return kAvroSink.create(*settings, environment).value();
  }
  std::vector<std::string> delivered() override { return server_.bodies(); }
  bool set_failing(bool failing) override {
    server_.say(failing ? AvroTestServer::Says::failed : AvroTestServer::Says::ok);
    return true;
  }

 private:
  std::unique_ptr<Network> network_ = make_network();
  AvroTestServer server_;
};

INSTANTIATE_TEST_SUITE_P(Avro, SinkContract,
                         ::testing::Values(SinkUnderTest{[] { return std::make_unique<AvroSubject>(0u); }},
                                           SinkUnderTest{[] { return std::make_unique<AvroSubject>(8u); }}));

}  // namespace
}  // namespace standpipe::testing
