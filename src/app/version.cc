#include "app/version.h"

#include <fmt/format.h>
#include <zlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "clients/zookeeper/client.h"
#include "net/http_get.h"

#ifndef STANDPIPE_REVISION
#define STANDPIPE_REVISION "unknown"
#endif

namespace standpipe {

std::string version_text() {
  char pcre2[64] = {};
  pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
  return fmt::format("standpipe {} (revision {})\nzlib {}, PCRE2 {}, {}\n{}\n", STANDPIPE_VERSION, STANDPIPE_REVISION,
                     zlibVersion(), pcre2, http_library_version(), zookeeper::library_version());
}

std::string flume_version_text() {
  return fmt::format(
      "Flume 1.11.0 (run by Standpipe {})\nSource code repository: none of Flume's code runs here\n"
      "Revision: {}\nCompiled by {} on {}\nFrom source with checksum none\n",
      STANDPIPE_VERSION, STANDPIPE_REVISION, "g++ " __VERSION__, "Debian 12");
}

}  // namespace standpipe
