#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// Who may connect, as Flume's ipFilterRules say it: "allow:ip:127.*, deny:ip:*". The first rule that matches decides;
/// a peer that none matches may. Immutable; thread-safe.
class PeerFilter {
 public:
  /// Rules that `rules` lists. Code::invalid names the one that is wrong. Rules by name are understood for `localhost`
  /// only, which means this machine: looking up the name of every peer would let its name server decide.
  static Result<PeerFilter> parse(const std::vector<std::string>& rules);

  /// `peer` is "127.0.0.1:50312" or "[::1]:50312".
  bool allows(std::string_view peer) const;

 private:
  struct Rule {
    bool allow;
    bool localhost;
    std::string pattern;  // of an address: `*` any text, `?` one character
  };
  static Result<Rule> parse_rule(const std::string& text);
  std::vector<Rule> rules_;
};

}  // namespace standpipe
