#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "standpipe/batch.h"

namespace standpipe {

/// Gives events new headers and lets events with the same old block and the same new values share one block. Where
/// values hardly ever repeat it notices and stops looking. Kept per thread and used for one batch after the other, so
/// that it allocates nothing of its own. Names must come in ascending order, each once per event.
class HeaderInterner {
 public:
  void begin(Batch& batch);
  /// The values of one event: clear(), then one add for each, then apply(). Views must hold until apply().
  void clear() { count_ = 0; }
  void add(std::string_view name, std::string_view value);
  void add_number(std::string_view name, std::int64_t value);
  void apply(std::size_t event);

 private:
  static constexpr std::size_t kTrial = 256;     // lookups after which the hits are judged
  static constexpr std::size_t kWorthwhile = 8;  // one hit in so many keeps it looking

  struct Value {
    std::string_view name;
    std::string_view text;
    std::array<char, 24> digits;  // text points here when is_number
    std::size_t size = 0;
    bool is_number = false;
  };
  struct Known {
    std::uint64_t hash = 0;
    Batch::Block from = 0;
    Batch::Block block = 0;  // 0: the slot is free; no event is ever given block 0
  };

  std::uint64_t hash(Batch::Block from) const;
  bool holds(const Known& known, std::uint64_t hash, Batch::Block from) const;
  Batch::Block make(Batch::Block from) const;
  Batch::Block find_or_make(Batch::Block from);

  Batch* batch_ = nullptr;
  std::vector<Value> values_;
  std::size_t count_ = 0;
  std::vector<Known> table_;  // open addressing, twice the size of the batch at least
  std::size_t lookups_ = 0;
  std::size_t hits_ = 0;
  bool looking_ = true;
};

}  // namespace standpipe
