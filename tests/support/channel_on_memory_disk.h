#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "channels/file/file_channel.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "support/engine_parts.h"
#include "support/test_environment.h"

namespace standpipe::testing {

/// For tests: one file channel after the other on a disk in memory that survives them; faults come in between.
class ChannelOnMemoryDisk : public ::testing::Test {
 protected:
  using Operation = FaultyFileSystem::Operation;

  static Settings::Map clear() {
    return {{"checkpointDir", "/c/checkpoint"},
            {"dataDirs", "/c/data"},
            {"maxFileSize", "65536"},
            {"minimumRequiredSpace", "0"}};
  }
  static Settings settings_of(Settings::Map values) {
    return Settings::parse(*kFileChannel.info, std::move(values)).value();
  }
  /// `settings` with encryption by one key, which this puts into the environment.
  static Settings::Map encrypted(Settings::Map settings) {
    ::setenv("STANDPIPE_TEST_KEY", kKeyText.c_str(), 1);
    settings["encryption.keyProvider"] = "ENVIRONMENT";
    settings["encryption.activeKey"] = "k";
    settings["encryption.keyProvider.keys"] = "k";
    settings["encryption.keyProvider.keys.k.variable"] = "STANDPIPE_TEST_KEY";
    return settings;
  }
  static inline const std::string kKeyText = std::string(64, 'c');

  /// The old channel, if any, is dropped without being stopped in order.
  Status make(const Settings::Map& values) {
    channel_.reset();
    auto settings = Settings::parse(*kFileChannel.info, values);
    if (!settings.ok()) return settings.status();
    auto made = kFileChannel.create(*settings, world_.environment);
    if (!made.ok()) return made.status();
    channel_ = std::move(*made);
    return {};
  }
  Status open_with(const Settings::Map& values) {
    TRY(make(values));
    return channel_->start();
  }
  /// The process dies: what it has open writes nothing any more.
  void kill() {
    for (const Operation operation :
         {Operation::write, Operation::sync, Operation::truncate, Operation::rename, Operation::remove}) {
      faults_.inject({.operation = operation});
    }
    channel_.reset();
    faults_.heal();
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const auto& [path, content] : disk_.files()) {
      if (path.find("segment-") != std::string::npos) found.push_back(path);
    }
    return found;
  }
  std::vector<std::string> drain_all() { return drain(*channel_); }

  MemoryFileSystem disk_;
  FaultyFileSystem faults_{disk_};
  SystemClock clock_;
  TestEnvironment world_{"c1", clock_, faults_};
  std::unique_ptr<Channel> channel_;
};

/// The same in clear and encrypted, as the parameter says.
class ChannelForms : public ChannelOnMemoryDisk, public ::testing::WithParamInterface<bool> {
 protected:
  Status open(Settings::Map more = {}) {
    Settings::Map values = GetParam() ? encrypted(clear()) : clear();
    for (auto& [key, value] : more) values[key] = value;
    return open_with(values);
  }
};

inline std::string form_name(const ::testing::TestParamInfo<bool>& encrypted) {
  return encrypted.param ? "Encrypted" : "Clear";
}

}  // namespace standpipe::testing
