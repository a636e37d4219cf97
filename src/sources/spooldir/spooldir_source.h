#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/delivery_progress.h"
#include "base/log.h"
#include "codec/deserializers/deserializer.h"
#include "core/in_flight.h"
#include "sources/spooldir/spool_directory.h"
#include "sources/spooldir/tracker_file.h"
#include "standpipe/component.h"

namespace standpipe {

extern const ComponentInfo kSpooldirInfo;
extern const SourceFactory kSpooldirSource;

/// Reads files that were dropped whole into a folder, each once, and then renames, deletes or marks them.
///
/// Guarantees: every event of a file is delivered at least once; a file counts as done only when the channels have
/// stored all of it; after a crash what was delivered behind the tracker's last position comes again. Several
/// hand-overs are outstanding, also over the end of a file. A file that changed while it was read, whose finished name
/// is taken, or that can't be decoded is set aside under a free name and reported, and the source goes on with the
/// next.
///
/// Threads: run() does everything; receipts may complete on any thread. The engine owns it; the environment outlives
/// it.
class SpooldirSource final : public Source {
 public:
  struct Options {
    spooldir::SpoolDirectory::Options directory;
    std::string path_header;      ///< empty: none
    std::string basename_header;  ///< empty: none
    std::string charset = "UTF-8";
    OnMalformed on_error = OnMalformed::fail;
    const DeserializerFactory* deserializer = nullptr;
    Settings deserializer_settings;
    std::size_t batch_size = 100;
    std::chrono::milliseconds poll_delay{500};
    std::chrono::milliseconds max_backoff{4'000};
  };

  SpooldirSource(Options options, Environment& environment);
  ~SpooldirSource() override;

  Status start(Ingest& ingest) override;
  Status run(std::stop_token stop) override;
  void stop() override;

 private:
  using Steady = Clock::Steady;
  static constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};
  // A file in work: being read, or read and waiting for its receipts.
  struct Spooled {
    std::uint64_t number = 0;
    std::string path;
    FileInfo info;  // when it was opened
    std::unique_ptr<File> file;
    std::unique_ptr<Deserializer> reader;
    std::shared_ptr<const Headers> headers;
    DeliveryProgress<DeserializerMark> progress;
    bool read_whole = false;
    bool damaged = false;   // the rest can't be read
    int read_failures = 0;  // in a row
  };
  // What finish() looks at: a file that was delivered.
  struct Delivered {
    std::string path;
    FileInfo info;  // when it was opened
  };
  struct Ticket {
    std::uint64_t file;
    std::uint64_t range;
  };
  using Deliveries = InFlight<Ticket>;
  enum class Step : unsigned char { worked, blocked, idle };

  void restore();
  Step step(Steady now);
  Step open_next(Steady now);
  Status open(spooldir::Candidate candidate);
  Status resume(Spooled& spooled);
  Result<std::unique_ptr<Deserializer>> make_reader(Spooled& spooled);
  Step read(Spooled& spooled);
  Step read_failed(Spooled& spooled, const Status& status);
  Step retry_one(Spooled& spooled);
  void deliver(Spooled& spooled, std::uint64_t ticket, Batch batch);
  void settle(const Deliveries::Landed& landed);
  void settle_all();
  bool back_off();
  bool retire_finished();
  bool retire(const Spooled& spooled);
  Status finish(const Delivered& file);
  void finish_unfinished();
  void report(const std::string& path, std::string_view why, const std::string& message);
  void store_position(bool now_please);
  void wait(Steady until, std::stop_token stop);
  void drain();

  const Options options_;
  Environment& environment_;
  Ingest* ingest_ = nullptr;
  std::unique_ptr<Deliveries> in_flight_;
  std::unique_ptr<spooldir::SpoolDirectory> directory_;
  std::unique_ptr<spooldir::TrackerFile> tracker_;
  std::optional<spooldir::TrackedPosition> restored_;  // what an earlier run left, until its file is opened
  std::deque<std::unique_ptr<Spooled>> active_;
  std::vector<Delivered> unfinished_;  // could not be renamed, deleted or marked yet
  std::uint64_t next_number_ = 0;
  std::size_t failures_ = 0;  // ranges to hand over again
  Steady retry_at_{};
  Steady next_list_{};
  Steady next_store_{};
  bool tracked_ = false;  // a tracker file exists
  std::uint64_t stored_offset_ = 0;
  std::uint64_t stored_number_ = kNoNumber;
  bool exhausted_ = false;  // the last listing is used up
  std::chrono::milliseconds backoff_{0};
  LogLimiter error_limit_{60'000};

  Counter& events_received_;
  Counter& events_accepted_;
  Counter& batches_received_;
  Counter& batches_accepted_;
  Counter& channel_write_fail_;
  Counter& read_fail_;
  Counter& processing_fail_;
};

}  // namespace standpipe
