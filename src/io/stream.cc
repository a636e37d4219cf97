#include "io/stream.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/pending_end.h"

namespace standpipe {

namespace {
using std::chrono::milliseconds;
constexpr milliseconds kStep{100};
}  // namespace

Status wait_readable(int descriptor, std::chrono::steady_clock::time_point deadline) {
  while (true) {
    if (end_is_pending()) return {Code::stopped, "was given up: the process is to end"};
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds(0)) return {Code::timeout, "took too long and was ended"};
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, kStep).count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return {Code::io, fmt::format("poll: {}", std::strerror(errno))};
  }
}

Result<std::string> read_stream(int descriptor, std::chrono::steady_clock::time_point deadline, std::size_t max_bytes) {
  std::string bytes;
  char buffer[4096];
  while (true) {
    TRY(wait_readable(descriptor, deadline));
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return Status(Code::io, fmt::format("read: {}", std::strerror(errno)));
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
    if (bytes.size() > max_bytes) return Status(Code::invalid, fmt::format("wrote more than {} KiB", max_bytes >> 10));
  }
}

}  // namespace standpipe
