// The suites on the simplest components that keep the contract: so that a suite that fails them is wrong itself.

#include <condition_variable>

#include "base/failpoint.h"
#include "contract/sink_contract.h"
#include "contract/source_contract.h"

namespace standpipe::testing {
namespace {

// -- a sink -----------------------------------------------------------------------------------------------------------

class ListSubject final : public SinkSubject {
 public:
  std::unique_ptr<Sink> make(Environment& environment) override {
    return std::make_unique<ListSink>(environment, *this);
  }
  std::vector<std::string> delivered() override {
    std::lock_guard lock(mutex_);
    return list_;
  }
  bool set_failing(bool failing) override {
    std::lock_guard lock(mutex_);
    failing_ = failing;
    return true;
  }

 private:
  class ListSink final : public BatchSink {
   public:
    ListSink(Environment& environment, ListSubject& subject) : BatchSink(environment, 7), subject_(subject) {}
    Status write(const Lease& lease, std::stop_token) override {
      std::lock_guard lock(subject_.mutex_);
      if (subject_.failing_) return {Code::unavailable, "the list is closed"};
      for (std::string& body : bodies(lease)) subject_.list_.push_back(std::move(body));
      return {};
    }

   private:
    ListSubject& subject_;
  };

  std::mutex mutex_;
  std::vector<std::string> list_;
  bool failing_ = false;
};

INSTANTIATE_TEST_SUITE_P(List, SinkContract,
                         ::testing::Values(SinkUnderTest{
                             .make = [] { return std::make_unique<ListSubject>(); },
                             .ordered = true,
                         }));

// -- a source ---------------------------------------------------------------------------------------------------------

/// Reads a list from a position that only a receipt moves, as a file source does.
class RowSubject final : public SourceSubject {
 public:
  std::unique_ptr<Source> make(Environment&) override { return std::make_unique<RowSource>(*this); }
  void produce(std::size_t first, std::size_t count) override {
    std::lock_guard lock(mutex_);
    for (std::string& body : numbers(first, count)) rows_.push_back(std::move(body));
    changed_.notify_all();
  }

 private:
  class RowSource final : public Source {
   public:
    explicit RowSource(RowSubject& subject) : subject_(subject) {}
    Status start(Ingest& ingest) override {
      ingest_ = &ingest;
      return {};
    }
    Status run(std::stop_token stop) override {
      while (!stop.stop_requested()) {
        const std::optional<std::string> row = subject_.next(stop);
        if (!row.has_value()) continue;
        Batch batch;
        batch.add_copy(*row);
        if (FAILPOINT("contract.position_before_receipt")) subject_.advance();
        const Status status = ingest_->deliver(std::move(batch)).wait(stop);
        if (status.ok() && !FAILPOINT("contract.position_before_receipt")) subject_.advance();
      }
      return {};
    }
    void stop() override {}

   private:
    RowSubject& subject_;
    Ingest* ingest_ = nullptr;
  };

  std::optional<std::string> next(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return position_ < rows_.size(); })) return std::nullopt;
    return rows_[position_];
  }
  void advance() {
    std::lock_guard lock(mutex_);
    ++position_;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::string> rows_;
  std::size_t position_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Row, SourceContract,
                         ::testing::Values(SourceUnderTest{
                             .make = [] { return std::make_unique<RowSubject>(); },
                             .ordered = true,
                         }));

}  // namespace
}  // namespace standpipe::testing
