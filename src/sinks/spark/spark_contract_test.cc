#include <atomic>
#include <mutex>
#include <thread>

#include "contract/sink_contract.h"
#include "net/network.h"
#include "sinks/spark/spark_sink.h"
#include "support/listening_source_test.h"
#include "support/spark_receiver.h"

namespace standpipe::testing {
namespace {

/// A receiver that pulls, writes down and acknowledges for as long as there is a sink. It can't make the sink fail: a
/// receiver that refuses gets the batch again, and that is tested beside the sink.
class SparkSubject final : public SinkSubject {
 public:
  ~SparkSubject() override {
    ended_ = true;
    puller_.join();
  }

  std::unique_ptr<Sink> make(Environment& environment) override {
    log_ = static_cast<CapturingLog*>(&environment.log);
    environment.network = network_.get();
    const auto settings = Settings::parse(
        *kSparkSink.info, {{"hostname", "127.0.0.1"}, {"port", "0"}, {"backoffInterval", "1"}, {"threads", "2"}});
    return kSparkSink.create(*settings, environment).value();
  }

  std::vector<std::string> delivered() override {
    std::lock_guard lock(mutex_);
    return delivered_;
  }

 private:
  void pull() {
    while (!ended_) {
      const CapturingLog* log = log_;
      const std::uint16_t port = log == nullptr ? 0 : listening_port(*log);
      if (port != 0) pull_from(port);
      std::this_thread::yield();
    }
  }

  void pull_from(std::uint16_t port) {
    SparkTestReceiver receiver(port);
    while (receiver.connected()) {
      receiver.ask(7);
      const SparkTestReceiver::Answer batch = receiver.answer();
      if (batch.serial == 0) return;
      if (batch.sequence.empty()) continue;
      {
        std::lock_guard lock(mutex_);
        for (const std::string& body : batch.bodies()) delivered_.push_back(body);
      }
      receiver.ack(batch.sequence);
      if (receiver.answer().serial == 0) return;
    }
  }

  std::unique_ptr<Network> network_ = make_network();
  std::atomic<CapturingLog*> log_{nullptr};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::vector<std::string> delivered_;
  std::thread puller_{[this] { pull(); }};
};

INSTANTIATE_TEST_SUITE_P(Spark, SinkContract,
                         ::testing::Values(SinkUnderTest{[] { return std::make_unique<SparkSubject>(); }}));

}  // namespace
}  // namespace standpipe::testing
