#include "app/terminal.h"

#include <cstdio>

namespace standpipe {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int fail(const std::string& message, int status) {
  std::fprintf(stderr, "Error: %s\n", message.c_str());
  return status;
}

}  // namespace standpipe
