#include "contract/sink_contract.h"
#include "sinks/logger/logger_sink.h"

namespace standpipe::testing {
namespace {

/// Reads bodies back from the log's dumps.
class LoggerSubject final : public SinkSubject {
 public:
  std::unique_ptr<Sink> make(Environment& environment) override {
    log_ = dynamic_cast<CapturingLog*>(&environment.log);
    return kLoggerSink.create(*Settings::parse(*kLoggerSink.info, {}), environment).value();
  }

  std::vector<std::string> delivered() override {
    std::vector<std::string> bodies;
    for (const std::string& line : log_->lines()) {
      if (line.find("Event: {") == std::string::npos) continue;
      const std::size_t end = line.size() - 2;  // before " }"
      bodies.push_back(line.substr(line.rfind(' ', end - 1) + 1, end - line.rfind(' ', end - 1) - 1));
    }
    return bodies;
  }

 private:
  CapturingLog* log_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Logger, SinkContract,
                         ::testing::Values(SinkUnderTest{[] { return std::make_unique<LoggerSubject>(); }}));

}  // namespace
}  // namespace standpipe::testing
