#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "channels/file/encryption.h"
#include "io/file_system.h"
#include "standpipe/settings.h"

namespace standpipe::file_channel {

/// Where a channel's keys come from: encryption.* as the operator wrote it.
struct KeySource {
  enum class Provider : unsigned char { none, file, environment, command };
  struct Place {
    std::string name;   ///< of the key
    std::string where;  ///< the file, the variable or the command
    friend bool operator==(const Place&, const Place&) = default;
  };
  Provider provider = Provider::none;
  std::vector<Place> keys;
  std::string active;                             ///< empty: new events are written in clear
  std::chrono::milliseconds command_limit{8000};  ///< for all commands together; less than a stop may take
};

/// Code::invalid for whatever can't be honoured to the letter, with the way out: a channel that was to be encrypted
/// never starts in clear.
Result<KeySource> read_key_source(const Settings& settings);

/// The property in which they differ; empty: in none.
std::string_view changed_property(const KeySource& before, const KeySource& now);

/// Reads the files and variables, or runs the commands. The keys stay out of every log.
Result<KeyRing> load_keys(const KeySource& source, FileSystem& files);

/// 64 hexadecimal digits, or base64 of 32 bytes, with white space around it.
Result<Key> parse_key(std::string_view text);

}  // namespace standpipe::file_channel
