#include "net/peer_filter.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/text.h"

namespace standpipe {

namespace {

constexpr std::string_view kMapped = "::ffff:";  // an IPv4 peer of a socket for both

/// Steps back to the last `*` only: no pattern takes more than its length times the text's.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// The loop-back addresses and those that this machine's interfaces have now.
bool is_this_machine(std::string_view address) {
  if (address.starts_with("127.") || address == "::1") return true;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const bool v4 = each->ifa_addr->sa_family == AF_INET;
    if (!v4 && each->ifa_addr->sa_family != AF_INET6) continue;
    char text[NI_MAXHOST];
    const socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (::getnameinfo(each->ifa_addr, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    const std::string_view own(text);
    if (own.substr(0, own.find('%')) == address.substr(0, address.find('%'))) return true;
  }
  return false;
}

}  // namespace

Result<PeerFilter> PeerFilter::parse(const std::vector<std::string>& rules) {
  if (rules.empty()) return Status(Code::invalid, "ipFilter = true needs rules in ipFilterRules");
  PeerFilter filter;
  for (const std::string& text : rules) {
    TRY_ASSIGN(Rule rule, parse_rule(text));
    filter.rules_.push_back(std::move(rule));
  }
  return filter;
}

Result<PeerFilter::Rule> PeerFilter::parse_rule(const std::string& text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  const std::string action = text.substr(0, first);
  const std::string kind = second == std::string::npos ? "" : text.substr(first + 1, second - first - 1);
  const std::string pattern = second == std::string::npos ? "" : text.substr(second + 1);
  const bool known = (action == "allow" || action == "deny") && (kind == "ip" || kind == "name") && !pattern.empty();
  if (!known) {
    return Status(Code::invalid,
                  fmt::format("the rule '{}' in ipFilterRules must be allow or deny, ip or name, and a pattern, joined "
                              "by colons: deny:ip:10.0.*",
                              text));
  }
  const bool allow = action == "allow";
  if (kind == "ip" || pattern == "*") return Rule{allow, By::address, pattern};
  if (pattern == "localhost") return Rule{allow, By::this_machine, ""};
  return Rule{allow, By::name, to_lower(pattern)};
}

std::string_view PeerFilter::address_of(std::string_view peer) {
  std::string_view address = peer.substr(0, peer.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address.starts_with(kMapped) && address.find('.') != std::string_view::npos)
    address.remove_prefix(kMapped.size());
  return address;
}

bool PeerFilter::asks_for_names() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const Rule& rule) { return rule.by == By::name; });
}

PeerFilter::Verdict PeerFilter::judge(std::string_view peer) const {
  const std::string_view address = address_of(peer);
  for (const Rule& rule : rules_) {
    if (rule.by == By::name) return Verdict::needs_name;
    const bool match = rule.by == By::address ? matches(rule.pattern, address) : is_this_machine(address);
    if (match) return rule.allow ? Verdict::allow : Verdict::deny;
  }
  return Verdict::allow;
}

bool PeerFilter::allows(std::string_view peer, std::string_view name) const {
  const std::string_view address = address_of(peer);
  const std::string known_as = to_lower(name.empty() ? address : name);
  for (const Rule& rule : rules_) {
    const bool match = rule.by == By::name      ? matches(rule.pattern, known_as)
                       : rule.by == By::address ? matches(rule.pattern, address)
                                                : is_this_machine(address);
    if (match) return rule.allow;
  }
  return true;
}

}  // namespace standpipe
