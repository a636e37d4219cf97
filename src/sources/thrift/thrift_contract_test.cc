#include "contract/source_contract.h"
#include "net/network.h"
#include "sources/thrift/thrift_source.h"
#include "support/thrift_client.h"

namespace standpipe::testing {
namespace {

/// A client that sends batches until each was stored, over a new connection after each failure, as Flume's does.
class ThriftSubject final : public SourceSubject {
 public:
  explicit ThriftSubject(bool compact) : compact_(compact) {}

  std::unique_ptr<Source> make(Environment& environment) override {
    environment.network = network_.get();
    log_ = dynamic_cast<CapturingLog*>(&environment.log);
    const auto settings = Settings::parse(
        *kThriftSource.info, {{"bind", "127.0.0.1"}, {"port", "0"}, {"protocol", compact_ ? "compact" : "binary"}});
    return kThriftSource.create(*settings, environment).value();
  }

  void produce(std::size_t first, std::size_t count) override {
    constexpr std::size_t kBatch = 7;
    for (std::size_t at = 0; at < count; at += kBatch) {
      std::vector<SentEvent> events;
      for (const std::string& body : numbers(first + at, std::min(kBatch, count - at))) events.push_back({{}, body});
      for (std::string answer; answer != "OK";) {
        answer = ThriftTestClient(port(), compact_).append_batch(events);
        if (answer.empty()) return;  // the source has stopped
      }
    }
  }

 private:
  std::uint16_t port() const {
    for (const std::string& line : log_->lines()) {
      if (line.find("listening") != std::string::npos) last_ = line;
    }
    return static_cast<std::uint16_t>(std::stoi(last_.substr(last_.rfind(':') + 1)));
  }
  const bool compact_;
  std::unique_ptr<Network> network_ = make_network();
  CapturingLog* log_ = nullptr;
  mutable std::string last_;
};

INSTANTIATE_TEST_SUITE_P(Thrift, SourceContract,
                         ::testing::Values(SourceUnderTest{[] { return std::make_unique<ThriftSubject>(true); }},
                                           SourceUnderTest{[] { return std::make_unique<ThriftSubject>(false); }}));

}  // namespace
}  // namespace standpipe::testing
