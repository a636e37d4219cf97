#pragma once

#include <memory>

#include "net/network.h"

namespace standpipe {

struct DeflateOptions {
  int level = 6;  ///< 0 to 9
  /// Memory for what is sent: a server's short answers need little of it, and it may have very many connections.
  bool small = false;
};

/// `below` with one zlib stream in each direction, as Flume's compression-type = deflate has it: what is written is
/// compressed and flushed, what is read is expanded as it is asked for, so that a small input that expands without end
/// never takes more memory than its reader gives. Bytes that are no zlib stream make read() fail with Code::corrupt.
/// `network` is the loop that the connection belongs to.
std::unique_ptr<Connection> deflated(std::unique_ptr<Connection> below, const DeflateOptions& options,
                                     Network& network);

}  // namespace standpipe
