#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>

#include "net/network.h"
#include "standpipe/component.h"
#include "support/engine_parts.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// The port in what a component has said last about listening; 0: nothing.
inline std::uint16_t listening_port(const CapturingLog& log) {
  std::uint16_t port = 0;
  for (const std::string& line : log.lines()) {
    if (line.find("listening on") == std::string::npos) continue;
    port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }
  return port;
}

/// A source on a free port, and what it hands over.
class ListeningSourceTest : public ::testing::Test {
 protected:
  explicit ListeningSourceTest(const SourceFactory& made_by) : factory(made_by) {
    env.environment.network = network.get();
  }

  Result<std::unique_ptr<Source>> make(Settings::Map values) {
    values.emplace("bind", "127.0.0.1");
    values.emplace("port", "0");
    TRY_ASSIGN(const Settings settings, Settings::parse(*factory.info, std::move(values)));
    return factory.create(settings, env.environment);
  }

  void start(Settings::Map values = {}) {
    auto made = make(std::move(values));
    ASSERT_TRUE(made.ok()) << made.status().message();
    source = std::move(made).value();
    const Status status = source->start(ingest);
    ASSERT_TRUE(status.ok()) << status.message();
    port = listening_port(env.log);
  }

  const SourceFactory& factory;
  SystemClock clock;
  TestEnvironment env{"r1", clock, real_file_system()};
  std::unique_ptr<Network> network = make_network();
  RecordingIngest ingest;
  std::unique_ptr<Source> source;
  std::uint16_t port = 0;
};

}  // namespace standpipe::testing
