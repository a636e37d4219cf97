#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "core/in_flight.h"
#include "sources/taildir/directory_watch.h"
#include "sources/taildir/file_set.h"
#include "sources/taildir/position_writer.h"
#include "sources/taildir/saved_state.h"
#include "sources/taildir/tail_reader.h"
#include "standpipe/component.h"

namespace standpipe {

extern const ComponentInfo kTaildirInfo;
extern const SourceFactory kTaildirSource;

/// Follows growing files by pattern, through every kind of rotation, and keeps its place over restarts and crashes.
///
/// Guarantees: each complete line of a matching file that could be read for 100 ms while the agent ran is delivered at
/// least once, whatever is done to the file afterwards, as long as the channel takes events. Positions move only over
/// what the channels have stored; after a crash what was delivered behind the last written position comes again. Order
/// is kept per file, except that a batch the channel refused comes after those behind it that it took.
/// A file is device, inode and content (fingerprints), never its name.
///
/// Threads: run() does the work; one thread waits for the kernel's notices, one writes positions. Receipts may complete
/// on any thread. The engine owns it; the environment outlives it.
class TaildirSource final : public Source {
 public:
  struct Options {
    std::vector<taildir::FileGroup> groups;
    std::string position_file;
    taildir::FileSet::Options set;
    taildir::TailReader::Options reader;
    bool skip_to_end = false;
    std::chrono::milliseconds idle_timeout{120'000};
    std::chrono::milliseconds write_interval{3'000};
    std::chrono::milliseconds backoff_step{1'000};
    std::chrono::milliseconds backoff_limit{5'000};
  };

  TaildirSource(Options options, Environment& environment);
  ~TaildirSource() override;

  Status start(Ingest& ingest) override;
  Status run(std::stop_token stop) override;
  void stop() override;

 private:
  using Steady = Clock::Steady;
  using TailFile = taildir::TailFile;
  using Mark = taildir::Mark;
  using Outcome = taildir::TailReader::Outcome;
  struct Ticket {
    TailFile* file;
    std::uint32_t life;
    std::uint64_t range;
  };
  using Deliveries = InFlight<Ticket>;  // its bell: a folder changed

  Status check_directories();
  static bool starts_with_hole(const TailFile& file);
  void begin(TailFile& file);
  void adopt_rotated();
  void enqueue(TailFile& file);

  // handing over
  void deliver(TailFile& file, Batch batch, const Mark& end);
  void hand_over(TailFile& file, std::uint64_t ticket, Batch batch);
  void settle(const Deliveries::Landed& landed);
  void settle_all();
  void back_off(const Status& status);
  bool retry_one();

  // reading
  bool work(Steady now);
  void take_turn(TailFile& file, Steady now);
  void restart(TailFile& file, std::string_view why);
  void lost(const TailFile& file);
  void tell_read_failure(const Status& status);
  void read_failed(TailFile& file, const Status& status);

  // looking after
  void take_changes();
  void look_around(Steady now);
  void close_quiet(TailFile& file, Steady now);
  void forget_finished();
  void positions_failed(const Status& status);
  void write_positions(Steady now, bool last);
  void publish_gauges();
  void wait(Steady now, std::stop_token stop);
  void drain();

  const Options options_;
  Environment& environment_;
  Ingest* ingest_ = nullptr;
  std::unique_ptr<Deliveries> in_flight_;
  std::unique_ptr<taildir::FileSet> files_;
  std::unique_ptr<taildir::TailReader> reader_;
  std::unique_ptr<taildir::DirectoryWatch> watch_;
  std::unique_ptr<taildir::PositionWriter> writer_;
  std::optional<taildir::SavedState> saved_;  // during start() only

  taildir::SavedState::Found begun_{};
  std::deque<TailFile*> ready_;
  std::deque<TailFile*> failed_;  // have ranges to hand over again
  bool positions_changed_ = false;
  std::atomic<bool> unwritten_{false};  // the last positions could not be written
  bool polling_ = false;                // no notices from the kernel
  bool no_room_ = false;
  Steady retry_at_{};
  Steady next_look_{};
  Steady next_write_{};
  std::chrono::milliseconds backoff_{0};
  std::chrono::milliseconds look_interval_{0};
  std::uint64_t overlong_reported_ = 0;
  LogLimiter error_limit_{60'000};
  LogLimiter position_limit_{60'000};
  LogLimiter overlong_limit_{60'000};

  Counter& events_received_;
  Counter& events_accepted_;
  Counter& batches_received_;
  Counter& batches_accepted_;
  Counter& channel_write_fail_;
  Counter& read_fail_;
  Counter& processing_fail_;
  std::shared_ptr<std::atomic<std::int64_t>> lag_;
  std::shared_ptr<std::atomic<std::int64_t>> open_files_;
};

}  // namespace standpipe
