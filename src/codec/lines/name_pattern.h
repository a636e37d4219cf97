#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "standpipe/status.h"

namespace standpipe {

/// A java.util.regex pattern that a whole file name must match: taildir's file groups, spooldir's include and ignore.
/// Immutable and cheap to copy; may be used from any thread.
class NamePattern {
 public:
  /// Code::invalid with the reason when `pattern` does not compile.
  static Result<NamePattern> compile(std::string_view pattern);
  bool matches(std::string_view name) const;

 private:
  struct Compiled;
  explicit NamePattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace standpipe
