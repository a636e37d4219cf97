#include "base/secrets.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace standpipe {

void SecretMask::add_one(const std::string& secret) {
  if (secret.size() < kShortest) return;
  if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
  const auto place = std::find_if(secrets_.begin(), secrets_.end(),
                                  [&](const std::string& other) { return other.size() < secret.size(); });
  secrets_.insert(place, secret);
}

std::string SecretMask::hide(std::string text) const {
  for (const std::string& secret : secrets_) {
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kHidden.size())) {
      text.replace(at, secret.size(), kHidden);
    }
  }
  return text;
}

namespace {
struct Kept {
  std::shared_mutex mutex;
  SecretMask mask;
};
Kept& kept() {
  static Kept& all = *new Kept;  // threads may log while the process ends
  return all;
}
}  // namespace

void keep_secret(const std::set<std::string, std::less<>>& values) {
  std::unique_lock lock(kept().mutex);
  kept().mask.add(values);
}

std::string without_secrets(std::string text) {
  std::shared_lock lock(kept().mutex);
  return kept().mask.hide(std::move(text));
}

}  // namespace standpipe
