#include "rpc/thrift/options.h"

#include <fmt/format.h>

namespace standpipe::thrift {

Protocol protocol_of(const Settings& settings, Log& log) {
  const std::string text = settings.text("protocol");
  if (text == "binary") return Protocol::binary;
  if (settings.choice("protocol") == "binary") {
    log.warn(
        fmt::format("protocol = {} means compact, as in Flume, which knows only the lower-case form: write binary "
                    "where that is meant, on both sides",
                    text));
  }
  return Protocol::compact;
}

}  // namespace standpipe::thrift
