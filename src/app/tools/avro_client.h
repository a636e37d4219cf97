#pragma once

#include <span>
#include <string>

namespace standpipe {

/// `flume-ng avro-client …`: sends the lines of a file, of standard input or of the files in a folder to an Avro
/// source. `arguments`: what follows the command. Exit status 0 when every line was acknowledged, else 1.
int run_avro_client(std::span<const std::string> arguments);

std::string avro_client_usage();

}  // namespace standpipe
