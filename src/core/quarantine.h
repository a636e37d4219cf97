#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "io/file_system.h"
#include "standpipe/environment.h"
#include "standpipe/sink.h"

namespace standpipe {

/// The dead-letter file of one sink: `<state_dir>/dead-letter/<component>.jsonl`, mode 0600, one JSON object a line:
///
///   {"time":1700000000000,"agent":"a1","component":"k1","reason":"poison: …","headers":{"k":"v"},"body":"<base64>"}
///
/// Names and values that are not UTF-8 stand, all of that event's in base64, under "headersBase64" instead. put()
/// returns ok only after the line is on the device; a torn line of a crash stays alone on its line, and its event is
/// still in the channel. Thread-safe. `environment` is the sink's and outlives it.
class DeadLetterFile final : public Quarantine {
 public:
  explicit DeadLetterFile(Environment& environment);

  Status put(const EventRef& event, const Status& reason) override;

  const std::string& path() const { return path_; }

 private:
  Status open();

  Environment& environment_;
  const std::string directory_;
  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  bool torn_ = false;  // the last line may lack its end
};

}  // namespace standpipe
