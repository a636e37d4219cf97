#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/component_check.h"
#include "config/graph.h"

namespace standpipe {

/// The folders that components of one agent have for themselves (Option::own_folder), however they are spelt.
class OwnFolders {
 public:
  /// Those of `made`, whose properties begin with `prefix` ("a1.channels.c1."). One that another property has named
  /// already is an error in `check`.
  void take(ComponentCheck& check, const ComponentNode& made, const EntryMap& properties, std::string_view prefix);

 private:
  std::map<std::string, std::string> named_by_;  // folder -> "a1.channels.c1.dataDirs"
};

}  // namespace standpipe
