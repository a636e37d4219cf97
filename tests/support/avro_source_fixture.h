#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>

#include "net/network.h"
#include "sources/avro/avro_source.h"
#include "support/avro_client.h"
#include "support/engine_parts.h"
#include "support/recording_ingest.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// An Avro source on a free port, and what it hands over.
class AvroSourceTest : public ::testing::Test {
 protected:
  AvroSourceTest() : AvroSourceTest(real_clock()) {}
  explicit AvroSourceTest(Clock& clock) : env("r1", clock, real_file_system()) {
    env.environment.network = network.get();
  }
  static Clock& real_clock() {
    static SystemClock clock;
    return clock;
  }

  Result<std::unique_ptr<Source>> make(Settings::Map values) {
    values.emplace("bind", "127.0.0.1");
    values.emplace("port", "0");
    TRY_ASSIGN(const Settings settings, Settings::parse(*kAvroSource.info, std::move(values)));
    return kAvroSource.create(settings, env.environment);
  }

  void start(Settings::Map values = {}) {
    auto made = make(std::move(values));
    ASSERT_TRUE(made.ok()) << made.status().message();
    source = std::move(made).value();
    const Status status = source->start(ingest);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::string line = env.log.lines().back();
    port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  }

  TestEnvironment env;
  std::unique_ptr<Network> network = make_network();
  RecordingIngest ingest;
  std::unique_ptr<Source> source;
  std::uint16_t port = 0;
};

}  // namespace standpipe::testing
