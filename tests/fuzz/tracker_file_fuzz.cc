// spooldir's tracker. Any bytes as a tracker: reading ends. The bytes as a history of positions, some of them on a full
// disk: what load() gives is always the last one that was stored, and a tracker that is cut anywhere gives an earlier
// one of the same file, never another.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "io/memory_file_system.h"
#include "sources/spooldir/tracker_file.h"

namespace {

using namespace standpipe;
using spooldir::TrackedPosition;
using spooldir::TrackerFile;

constexpr std::uint64_t kNoLimit = 1U << 30U;
constexpr int kSteps = 10;
const std::string kPath = "/spool/.flumespool/" + std::string(TrackerFile::kName);

/// Hands out the input's bytes one after the other; zeros behind them.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  bool more() const { return !bytes_.empty(); }
  std::uint8_t next() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

std::uint64_t used(const MemoryFileSystem& disk) {
  std::uint64_t sum = 0;
  for (const auto& [path, content] : disk.files()) sum += content.size();
  return sum;
}

class History {
 public:
  History() : tracker_(disk_, kPath) { CHECK(disk_.make_directories("/spool/.flumespool").ok()); }

  void run(Choices choices) {
    for (int steps = 0; steps < kSteps && choices.more(); ++steps) {
      step(choices);
      const auto found = tracker_.load();
      CHECK(found.ok());
      CHECK(*found == (stored_.empty() ? std::nullopt : std::optional(stored_.back())));
    }
    cut(choices.next());
  }

 private:
  void step(Choices& choices) {
    const std::uint8_t choice = choices.next();
    if (choice % 8 == 0) {
      CHECK(tracker_.clear().ok());
      stored_.clear();
      return;
    }
    if (choice % 8 == 1) name_ = "/spool/" + std::string(choices.rest().substr(0, choices.next() % 32));
    TrackedPosition position{name_, offset(choices)};
    if (choice % 8 == 2) disk_.set_capacity(used(disk_) + choices.next());
    const Status status = tracker_.store(position);
    disk_.set_capacity(kNoLimit);
    CHECK(status.ok() || choice % 8 == 2);
    if (!status.ok()) return;
    if (!stored_.empty() && stored_.back().file != position.file) stored_.clear();
    stored_.push_back(std::move(position));
  }

  /// Of any magnitude that an offset may have.
  static std::uint64_t offset(Choices& choices) {
    const unsigned bits = choices.next() % 63;
    return (std::uint64_t{1} << bits) + choices.next();
  }

  /// A crash that leaves a part of the tracker.
  void cut(std::uint8_t less) const {
    if (stored_.empty()) return;
    std::string bytes = disk_.files().at(kPath);
    bytes.resize(bytes.size() - std::min<std::size_t>(less, bytes.size()));
    const auto found = spooldir::parse_tracker(bytes);
    if (!found.ok()) return;
    if (!found->has_value()) {
      CHECK(bytes.empty());
      return;
    }
    const TrackedPosition none{stored_.back().file, 0};
    CHECK(**found == none || std::find(stored_.begin(), stored_.end(), **found) != stored_.end());
  }

  MemoryFileSystem disk_;
  TrackerFile tracker_;
  std::string name_ = "/spool/a.log";
  std::vector<TrackedPosition> stored_;  // since the tracker was begun
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto position = spooldir::parse_tracker(input);
  if (!position.ok()) position.status().ignore();
  if (position.ok() && position->has_value()) CHECK((*position)->offset <= std::uint64_t(INT64_MAX));
  History().run(Choices(input));
  return 0;
}
