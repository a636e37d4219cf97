#include "standpipe/headers.h"

#include <algorithm>

namespace standpipe {

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  for (const auto& [name, value] : entries) set(name, value);
}

Headers::Headers(const Headers& from, std::size_t more, std::pmr::memory_resource* memory) : entries_(memory) {
  entries_.reserve(from.size() + more);
  entries_.insert(entries_.end(), from.begin(), from.end());
}

std::pmr::vector<Headers::Entry>::iterator Headers::lower_bound(std::string_view name) {
  return std::lower_bound(entries_.begin(), entries_.end(), name,
                          [](const Entry& entry, std::string_view wanted) { return entry.first < wanted; });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : entries_) {  // a handful of entries: a walk beats a search
    if (key == name) return value;
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string_view value) {
  auto at = lower_bound(name);
  if (at != entries_.end() && at->first == name) {
    at->second = value;
  } else {
    entries_.emplace(at, name, value);
  }
}

bool Headers::erase(std::string_view name) {
  auto at = lower_bound(name);
  if (at == entries_.end() || at->first != name) return false;
  entries_.erase(at);
  return true;
}

std::size_t Headers::bytes() const {
  std::size_t total = 0;
  for (const auto& [name, value] : entries_) total += name.size() + value.size();
  return total;
}

}  // namespace standpipe
