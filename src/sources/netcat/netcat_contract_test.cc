#include "contract/source_contract.h"
#include "net/network.h"
#include "sources/netcat/netcat_source.h"
#include "support/tcp_client.h"

namespace standpipe::testing {
namespace {

/// A client that sends a line until it hears OK, over a new connection where the old one went.
class NetcatSubject final : public SourceSubject {
 public:
  std::unique_ptr<Source> make(Environment& environment) override {
    environment.network = network_.get();
    log_ = dynamic_cast<CapturingLog*>(&environment.log);
    return kNetcatSource.create(*Settings::parse(*kNetcatSource.info, {{"port", "0"}}), environment).value();
  }

  void produce(std::size_t first, std::size_t count) override {
    TcpClient client(port());
    for (const std::string& line : numbers(first, count)) {
      for (std::string answer; answer != "OK";) {
        if (!client.send(line + "\n")) return;
        answer = client.line();
        if (answer.empty()) return;  // the source has stopped
      }
    }
  }

 private:
  std::uint16_t port() const {
    const std::string line = log_->lines().back();
    return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }
  std::unique_ptr<Network> network_ = make_network();
  CapturingLog* log_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Netcat, SourceContract,
                         ::testing::Values(SourceUnderTest{[] { return std::make_unique<NetcatSubject>(); }}));

}  // namespace
}  // namespace standpipe::testing
