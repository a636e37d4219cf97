#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace standpipe {

/// The headers of an event: a small map from name to text, ordered by name (bytewise). Names and values are bytes,
/// UTF-8 by convention; a name occurs once. A Headers value that sits in a Batch is shared by all events with equal
/// headers and never changes there: see Batch. Not thread-safe while it is being changed.
class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Entry> entries);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  /// The value under `name`; the view lives until the map changes.
  std::optional<std::string_view> get(std::string_view name) const;
  bool contains(std::string_view name) const { return get(name).has_value(); }

  void set(std::string_view name, std::string_view value);
  /// Returns whether there was one.
  bool erase(std::string_view name);

  /// Bytes of all names and values: what a channel charges for them.
  std::size_t bytes() const;

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::vector<Entry>::iterator lower_bound(std::string_view name);
  std::vector<Entry> entries_;
};

}  // namespace standpipe
