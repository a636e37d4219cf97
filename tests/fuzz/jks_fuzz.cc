// Key stores as a file may hold them: whatever the bytes, reading ends, takes no more memory than there are bytes, and
// what was found lies in them. A key that opens with a password opens with no other.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/jks.h"

namespace {

using namespace standpipe;

constexpr std::string_view kPassword = "changeit";

void check_lies_in(std::string_view part, std::string_view bytes) {
  CHECK(part.empty() || (part.data() >= bytes.data() && part.data() + part.size() <= bytes.data() + bytes.size()));
}

void check_key(std::string_view locked) {
  const auto key = unlock_jks_key(locked, kPassword);
  if (!key.ok()) return;
  CHECK(key->size() < locked.size());
  CHECK(!unlock_jks_key(locked, "another").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto proved = read_jks(bytes, kPassword);
  const auto store = read_jks(bytes, "");
  if (proved.ok()) CHECK(store.ok());
  if (!store.ok()) {
    check_key(bytes);
    return 0;
  }
  CHECK(is_jks(bytes) && !is_jceks(bytes));
  std::size_t parts = store->trusted.size();
  for (const JksKey& key : store->keys) {
    check_lies_in(key.alias, bytes);
    check_lies_in(key.locked, bytes);
    check_key(key.locked);
    for (const std::string_view certificate : key.chain) check_lies_in(certificate, bytes);
    parts += 1 + key.chain.size();
  }
  for (const std::string_view certificate : store->trusted) check_lies_in(certificate, bytes);
  CHECK(parts <= size);
  return 0;
}
