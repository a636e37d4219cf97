#include "standpipe/headers.h"

#include <algorithm>

namespace standpipe {

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  for (const auto& [name, value] : entries) set(name, value);
}

Headers::Headers(const Headers& from, std::size_t more, std::pmr::memory_resource* memory)
    : entries_(memory), bytes_(from.bytes_) {
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
  // Who sets many sets them in order: then one look at the last name is enough.
  const bool last = entries_.empty() || entries_.back().first < name;
  const auto at = last ? entries_.end() : lower_bound(name);
  if (at != entries_.end() && at->first == name) {
    bytes_ += value.size() - at->second.size();
    at->second = value;
  } else {
    bytes_ += name.size() + value.size();
    entries_.emplace(at, name, value);
  }
}

bool Headers::erase(std::string_view name) {
  auto at = lower_bound(name);
  if (at == entries_.end() || at->first != name) return false;
  bytes_ -= at->first.size() + at->second.size();
  entries_.erase(at);
  return true;
}

}  // namespace standpipe
