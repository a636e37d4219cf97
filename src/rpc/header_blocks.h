#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "standpipe/batch.h"
#include "standpipe/status.h"

namespace standpipe::rpc {

/// What a request may hold at most.
struct EventLimits {
  std::size_t events = 1 << 20;          ///< of one request
  std::size_t headers = 1 << 14;         ///< of one event
  std::size_t headers_in_all = 1 << 20;  ///< made for one request: equal ones in a row count once
};

/// Makes the header blocks of a request's events: events in a row whose headers are written alike share one. Keep one:
/// it remembers its working memory. One thread.
///
///   if (!blocks.repeats(rest of the message)) {
///     blocks.begin(); … TRY(blocks.expect(count)); blocks.add(name, value); …
///     TRY(blocks.finish(as they were written, batch));
///   }
///   batch.add(body, blocks.block());
class HeaderBlocks {
 public:
  explicit HeaderBlocks(EventLimits limits) : limits_(limits) {}

  const EventLimits& limits() const { return limits_; }
  /// Another request: views into the one before are forgotten.
  void begin_request() { last_ = {}, block_ = Batch::kNoHeaders, made_ = 0; }

  /// Whether `rest` begins with just what the event before had: what was written is never the beginning of something
  /// else. Then block() is right, and size() bytes are to be skipped.
  bool repeats(std::string_view rest) const { return !last_.empty() && rest.starts_with(last_); }
  std::size_t size() const { return last_.size(); }

  void begin() { headers_.clear(); }
  /// `more` headers are to come; Code::corrupt when an event may not have so many.
  Status expect(std::size_t more);
  /// Both lie in the message.
  void add(std::string_view name, std::string_view value) { headers_.emplace_back(name, value); }
  Status finish(std::string_view written, Batch& batch);

  Batch::Block block() const { return block_; }

 private:
  void make_block(Batch& batch);

  const EventLimits limits_;
  std::vector<std::pair<std::string_view, std::string_view>> headers_;
  std::string_view last_;
  Batch::Block block_ = Batch::kNoHeaders;
  std::size_t made_ = 0;
};

}  // namespace standpipe::rpc
