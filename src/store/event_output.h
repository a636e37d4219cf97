#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "codec/serializers/event_serializer.h"
#include "standpipe/batch.h"
#include "store/store.h"

namespace standpipe {

/// The way of events into one file: through the serializer into large writes. Where an event is written as its body and
/// a fixed ending, and bodies lie in memory just as they will in the file (lines that one read() brought), the file is
/// written from there: no byte is copied on the way.
///
/// So bodies must stay where they are until flush() or finish() returned: hold the leases until then. After a failure
/// the file is given up. One thread; file and serializer outlive it.
class EventOutput {
 public:
  EventOutput(StoreFile& file, EventSerializer& serializer);

  Status begin() { return serializer_.begin(copied_); }
  /// Code::poison concerns this event alone and leaves the file good.
  Status append(const EventRef& event);
  /// Every event appended so far has been handed to the file, and a reader of all its bytes sees them.
  Status flush();
  /// The same, and the file's last bytes.
  Status finish();
  /// Bytes that the file has not been given yet.
  std::size_t waiting() const { return copied_.size() + run_.size(); }
  /// After a flush: an idle file keeps no memory.
  void release_memory() { std::string().swap(copied_); }

 private:
  bool continues_run(std::string_view body) const;
  Status end_run();
  Status write_copied();

  StoreFile& file_;
  EventSerializer& serializer_;
  const std::optional<std::string_view> ending_;  // none: only the serializer knows
  std::string copied_;                            // comes before run_
  std::string_view run_;                          // bodies with endings between them, as they lie in their slab
  bool in_run_ = false;
};

}  // namespace standpipe
