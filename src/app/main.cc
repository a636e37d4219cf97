#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string_view path = argc > 0 ? argv[0] : "";
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name == "flume-ng" ? standpipe::run_flume_ng(arguments) : standpipe::run_standpipe(arguments);
}
