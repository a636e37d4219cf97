#pragma once

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace standpipe {

/// The headers of an event: a small map from name to text, ordered by name (bytewise). Names and values are bytes,
/// UTF-8 by convention; a name occurs once. A Headers value that sits in a Batch is shared by all events with equal
/// headers and never changes there: see Batch. A copy has memory of its own. Not thread-safe while it is being changed.
class Headers {
 public:
  using Text = std::pmr::string;
  using Entry = std::pair<Text, Text>;

  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> entries);
  /// A copy whose every byte lies in `memory`, which outlives it, with room for `more` entries.
  Headers(const Headers& from, std::size_t more, std::pmr::memory_resource* memory);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::pmr::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::pmr::vector<Entry>::const_iterator end() const { return entries_.end(); }

  /// The value under `name`; the view lives until the map changes.
  std::optional<std::string_view> get(std::string_view name) const;
  bool contains(std::string_view name) const { return get(name).has_value(); }

  void set(std::string_view name, std::string_view value);
  /// Returns whether there was one.
  bool erase(std::string_view name);

  /// Bytes of all names and values: what a channel charges for them.
  std::size_t bytes() const { return bytes_; }

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::pmr::vector<Entry>::iterator lower_bound(std::string_view name);
  std::pmr::vector<Entry> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace standpipe
