#pragma once

#include <cstddef>

namespace standpipe {

/// Lets the process have as many descriptors as it may (the hard limit), as a JVM does. Once, at start.
void raise_descriptor_limit();

/// How many descriptors the process may have; at most 65,536, from which on it does not matter.
std::size_t descriptor_limit();

}  // namespace standpipe
