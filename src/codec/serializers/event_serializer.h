#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "standpipe/batch.h"
#include "standpipe/settings.h"
#include "standpipe/status.h"

namespace standpipe {

/// Turns events into the bytes of one file: begin(), any number of append() and flush(), finish(). Bytes are added to
/// the caller's buffer, which the caller empties whenever it likes; a call that fails leaves the buffer as it found it.
/// One object a file; one thread at a time.
class EventSerializer {
 public:
  virtual ~EventSerializer() = default;
  /// What a new file starts with.
  virtual Status begin(std::string& /*out*/) { return {}; }
  /// Code::poison when this event can never be written in this form.
  virtual Status append(const EventRef& event, std::string& out) = 0;
  /// Afterwards a reader that gets everything given out so far sees every event appended so far.
  virtual Status flush(std::string& /*out*/) { return {}; }
  /// The end of the file; nothing may follow.
  virtual Status finish(std::string& out) { return flush(out); }
  /// What follows each body where an event becomes its body, this, and nothing else: then a writer need not call
  /// append().
  virtual std::optional<std::string_view> plain_ending() const { return std::nullopt; }
  /// Whether a file cut behind any newline holds whole events only.
  virtual bool line_oriented() const { return false; }
};

/// Makes the serializers of one sink: type and properties are checked once, here, not with the first file.
class SerializerFactory {
 public:
  /// `type` as in the configuration (alias in any case, or Flume's Builder class); `values` what stands below it
  /// ("appendNewline"). Code::invalid names what is wrong and what there is.
  static Result<SerializerFactory> make(std::string_view type, const Settings::Map& values);

  std::unique_ptr<EventSerializer> operator()() const { return make_(settings_); }
  const ComponentInfo& info() const { return settings_.info(); }

 private:
  using Make = std::unique_ptr<EventSerializer> (*)(const Settings&);
  SerializerFactory(Make construct, Settings settings) : make_(construct), settings_(std::move(settings)) {}
  Make make_;
  Settings settings_;
};

/// The tables of all serializers, for the checker and the manual.
std::span<const ComponentInfo* const> serializer_infos();

extern const ComponentInfo kTextSerializer;
extern const ComponentInfo kHeaderAndTextSerializer;
extern const ComponentInfo kAvroEventSerializer;

}  // namespace standpipe
