#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "standpipe/status.h"

namespace standpipe {

/// Who may connect, as Flume's ipFilterRules say it: "allow:ip:127.*, deny:name:*.example.com, deny:ip:*". The first
/// rule that matches decides; a peer that none matches may. `name:localhost` means this machine. Immutable;
/// thread-safe.
class PeerFilter {
 public:
  enum class Verdict : unsigned char { allow, deny, needs_name };

  /// Rules that `rules` lists. Code::invalid names the one that is wrong.
  static Result<PeerFilter> parse(const std::vector<std::string>& rules);

  /// `peer` is "127.0.0.1:50312" or "[::1]:50312". needs_name: it depends on the peer's name.
  Verdict judge(std::string_view peer) const;
  /// The same with the peer's name; a peer without one goes by its address.
  bool allows(std::string_view peer, std::string_view name) const;
  /// Whether some rule may need a name.
  bool asks_for_names() const;

  /// "127.0.0.1" of "127.0.0.1:50312"; an IPv4 address that stands in an IPv6 one by itself.
  static std::string_view address_of(std::string_view peer);

 private:
  enum class By : unsigned char { address, this_machine, name };
  struct Rule {
    bool allow;
    By by;
    std::string pattern;  // `*` any text, `?` one character; a name's in lower case
  };
  static Result<Rule> parse_rule(const std::string& text);
  std::vector<Rule> rules_;
};

}  // namespace standpipe
