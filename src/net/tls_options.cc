#include "net/tls_options.h"

namespace standpipe::tls_options {

TlsLimits limits(const Settings& settings) {
  return {settings.list("include-protocols"), settings.list("exclude-protocols"),
          settings.list("include-cipher-suites"), settings.list("exclude-cipher-suites")};
}

}  // namespace standpipe::tls_options
