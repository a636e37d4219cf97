// Runs every fuzz target once over its seeds and over the inputs that broke something: replay FOLDER, with
// `seeds/<target>` and `regressions/<target>` in it.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fs = std::filesystem;

using Target = int (*)(const std::uint8_t* data, std::size_t size);
// FUZZ_TARGETS, from the build, is X(properties_fuzz) X(…) …
#define X(name) extern "C" int name(const std::uint8_t* data, std::size_t size);
FUZZ_TARGETS
#undef X

namespace {

int replay(const fs::path& folder, Target target) {
  if (!fs::is_directory(folder)) return 0;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    // Named before it runs: a target that finds something ends the program.
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);
    target(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    ++count;
  }
  return count;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const fs::path root = arguments[1];
  int without = 0;
  const auto run = [&](const char* name, Target target) {
    const int inputs = replay(root / "seeds" / name, target) + replay(root / "regressions" / name, target);
    std::printf("%s: %d inputs\n", name, inputs);
    if (inputs == 0) ++without;
  };
#define X(name) run(#name, name);
  FUZZ_TARGETS
#undef X
  if (without > 0) std::printf("%d targets without any input\n", without);
  return without == 0 ? 0 : 1;
}
