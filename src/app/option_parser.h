#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// One switch of a command line. `id` is what the caller switches on.
struct SwitchSpec {
  int id;
  std::string_view short_name;  ///< "n", "prov"; empty: none
  std::string_view long_name;   ///< "name"; empty: none
  bool takes_value;
};

struct ParsedSwitch {
  int id;
  std::string value;
};

struct ParsedLine {
  std::vector<ParsedSwitch> switches;
  std::vector<std::string> rest;  ///< arguments that belong to no switch
};

/// A command line as commons-cli reads it, which Flume uses: "-n a1", "--name a1", "--name=a1", "-name a1", and every
/// unambiguous prefix of a long name. "--" ends the switches. Code::invalid names the argument at fault.
Result<ParsedLine> parse_switches(std::span<const SwitchSpec> specs, std::span<const std::string> arguments);

}  // namespace standpipe
