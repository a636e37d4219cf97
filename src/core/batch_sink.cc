#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "standpipe/sink.h"

namespace standpipe {

namespace {

constexpr std::int64_t kWarnEveryMs = 60'000;

/// A view of a part of a lease has nothing to settle.
class NoBackend final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override {
    return {Code::invalid, "a sink must not settle the lease that it is given to write"};
  }
  void give_back(std::size_t, std::size_t) override {}
};

Lease view_of(const Lease& lease, std::size_t first, std::size_t last) {
  std::vector<BatchSpan> spans;
  std::size_t position = 0;
  for (const BatchSpan& span : lease.spans()) {
    const std::size_t from = std::max(first, position);
    const std::size_t to = std::min(last, position + span.count);
    if (from < to) spans.push_back({span.batch, span.first + (from - position), to - from});
    position += span.count;
  }
  return Lease(std::move(spans), std::make_unique<NoBackend>());
}

}  // namespace

/// What the search for the events at fault came to.
struct BatchSink::Bisection {
  std::size_t stayed = 0;
  Status reason;
};

BatchSink::BatchSink(Environment& environment, std::size_t batch_size)
    : environment_(environment),
      batch_size_(std::max<std::size_t>(1, batch_size)),
      drain_(environment.counters),
      poison_(environment.counters.counter(counter_names::kPoison)),
      quarantined_(environment.counters.counter(counter_names::kQuarantined)) {}

Result<Turn> BatchSink::process(Outlet& outlet, std::stop_token stop) {
  // Events that were refused stand at the head of the channel: they are tried alone, so that nothing passes them.
  const std::size_t wanted = blocked_ > 0 ? blocked_ : batch_size_;
  TRY_ASSIGN(Lease lease, outlet.take(wanted));
  drain_.batch(lease.size(), wanted);
  if (lease.empty()) {
    blocked_ = 0;
    return Turn{};
  }
  drain_.attempted(lease.size());
  if (FAILPOINT("sink.commit_before_write")) lease.commit().ignore();

  const Status written = write(lease, stop);
  Bisection found;
  Status result;
  if (written.ok()) {
    result = settle(lease, 0, lease.size());
  } else if (written.code() == Code::poison) {
    result = lease.size() == 1 ? blame(lease, 0, written, found) : write_range(lease, 0, lease.size(), stop, found);
  } else {
    result = written;
  }
  if (!result.ok()) {
    // Not all of them could be looked at: what was refused before still stands at the head.
    blocked_ = std::max(blocked_, found.stayed);
    found.reason.ignore();  // warn_of_poison() told it
    drain_.write_failed();
    return result;
  }
  blocked_ = found.stayed;
  if (found.stayed > 0) return found.reason;
  return Turn{.worked = true};
}

Status BatchSink::settle(Lease& lease, std::size_t first, std::size_t last) {
  const Status status = lease.commit(first, last);
  if (status.ok()) drain_.succeeded(last - first);
  return status;
}

/// [first, last) was refused as a whole: halves it until the events at fault stand alone.
Status BatchSink::write_range(Lease& lease, std::size_t first, std::size_t last, std::stop_token stop,
                              Bisection& found) {
  const std::size_t middle = first + (last - first) / 2;
  for (const auto& [from, to] : {std::pair(first, middle), std::pair(middle, last)}) {
    const Status status = write(view_of(lease, from, to), stop);
    if (status.ok()) {
      TRY(settle(lease, from, to));
    } else if (status.code() != Code::poison) {
      return status;
    } else if (to - from == 1) {
      TRY(blame(lease, from, status, found));
    } else {
      TRY(write_range(lease, from, to, stop, found));
    }
  }
  return {};
}

Status BatchSink::blame(Lease& lease, std::size_t index, const Status& reason, Bisection& found) {
  if (blocked_ == 0) poison_.add();  // one that is tried again is not another one
  if (FAILPOINT("sink.drop_poison")) return lease.commit(index, index + 1);
  if (environment_.quarantine == nullptr) {
    ++found.stayed;
    if (found.reason.ok()) found.reason = reason;
    warn_of_poison(reason);
    return {};
  }
  const Status kept = environment_.quarantine->put(lease[index], reason);
  if (!FAILPOINT("quarantine.ignore_failure")) TRY(kept);
  quarantined_.add();
  warn_of_poison(reason);
  return lease.commit(index, index + 1);
}

void BatchSink::warn_of_poison(const Status& reason) {
  const std::int64_t now = environment_.clock.now_ms();
  if (now < next_warning_ms_) return;
  next_warning_ms_ = now + kWarnEveryMs;
  const std::string_view what =
      environment_.quarantine == nullptr
          ? "it stays in the channel and blocks what is behind it: repair the destination, or "
            "set onPoison = quarantine"
          : "it went to the dead-letter file";
  environment_.log.error(fmt::format("the destination refuses an event for good ({}); {}", reason.message(), what));
}

}  // namespace standpipe
