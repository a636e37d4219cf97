#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe {

/// Values that no text may show. Not thread-safe.
class SecretMask {
 public:
  static constexpr std::string_view kHidden = "(not shown)";
  /// Shorter values stand in half of all words, and hiding them would only tell that they are short.
  static constexpr std::size_t kShortest = 3;  // bytes

  template <class Values>
  explicit SecretMask(const Values& secrets) {
    add(secrets);
  }
  SecretMask() = default;

  template <class Values>
  void add(const Values& secrets) {
    for (const std::string& secret : secrets) add_one(secret);
  }

  /// `text` with every secret replaced by kHidden; where one is a part of another the longer one goes.
  std::string hide(std::string text) const;

 private:
  void add_one(const std::string& secret);

  std::vector<std::string> secrets_;  // the longest first
};

/// From now on without_secrets() hides these values, too: for all that a log, a metric or a health report says. What
/// was given once stays hidden. Both are thread-safe.
void keep_secret(const std::set<std::string, std::less<>>& values);
std::string without_secrets(std::string text);

}  // namespace standpipe
