#pragma once

#include <functional>
#include <memory>

#include "net/network.h"

namespace standpipe {

/// Puts together what goes over `below`, whose first byte is known.
using BuildOver = std::function<std::unique_ptr<Connection>(std::unique_ptr<Connection> below, char first)>;

/// A connection of a peer that speaks first and may speak this or that: waits for its first byte, has `build` say what
/// to read it with, and hands it the byte again. `network` is the loop that the connection belongs to.
std::unique_ptr<Connection> by_first_byte(std::unique_ptr<Connection> below, BuildOver build, Network& network);

}  // namespace standpipe
