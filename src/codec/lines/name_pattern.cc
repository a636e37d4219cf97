#include "codec/lines/name_pattern.h"

#include <regex>

namespace standpipe {

struct NamePattern::Compiled {
  std::regex regex;
};

Result<NamePattern> NamePattern::compile(std::string_view pattern) {
  try {
    return NamePattern(std::make_shared<const Compiled>(Compiled{std::regex(std::string(pattern))}));
  } catch (const std::regex_error& error) {
    return Status(Code::invalid, "the pattern '" + std::string(pattern) + "' does not compile: " + error.what());
  }
}

bool NamePattern::matches(std::string_view name) const {
  return std::regex_match(name.begin(), name.end(), compiled_->regex);
}

}  // namespace standpipe
