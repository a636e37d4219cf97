#include "channels/file/key_source.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/secrets.h"
#include "base/text.h"
#include "channels/file/segment_format.h"
#include "io/external_command.h"

namespace standpipe::file_channel {

namespace {

constexpr std::string_view kProvider = "encryption.keyProvider";
constexpr std::string_view kActive = "encryption.activeKey";
constexpr std::string_view kCipher = "encryption.cipherProvider";
constexpr std::string_view kKeys = "encryption.keyProvider.keys";
constexpr std::string_view kNone = "NONE";
constexpr std::string_view kOurCipher = "AES-256-GCM";
constexpr std::string_view kHowToMakeOne = "openssl rand -hex 32";
constexpr std::size_t kLongestKeyText = 4096;

struct ProviderName {
  std::string_view name;
  KeySource::Provider provider;
  std::string_view property;  // of each key: where it is
};
constexpr ProviderName kProviders[] = {
    {"FILE", KeySource::Provider::file, "file"},
    {"ENVIRONMENT", KeySource::Provider::environment, "variable"},
    {"COMMAND", KeySource::Provider::command, "command"},
};

Status refuse(std::string_view property, std::string_view why) {
  return {Code::invalid, fmt::format("{} {}. The channel does not start, and writes nothing in clear", property, why)};
}

Status refuse_flume(std::string_view property, std::string_view value) {
  return refuse(
      property,
      fmt::format("= {} can't be had here, and what Flume encrypts can't be read: let Flume drain the channel, remove "
                  "all of encryption.*, then set encryption.keyProvider = FILE, encryption.activeKey = <name>, "
                  "encryption.keyProvider.keys = <name> and encryption.keyProvider.keys.<name>.file to a file that "
                  "`{}` made",
                  value, kHowToMakeOne));
}

bool is_key_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !name.empty() && name.size() <= kLongestKeyName && !equals_ignoring_case(name, kNone) &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

const ProviderName* find_provider(std::string_view name) {
  const auto at = std::find_if(std::begin(kProviders), std::end(kProviders),
                               [name](const ProviderName& known) { return equals_ignoring_case(known.name, name); });
  return at == std::end(kProviders) ? nullptr : at;
}

Status refuse_what_is_flumes(const Settings& settings) {
  const std::string provider = settings.text(kProvider);
  if (settings.has(kProvider) && find_provider(provider) == nullptr) return refuse_flume(kProvider, provider);
  const std::string cipher = settings.text(kCipher);
  if (!equals_ignoring_case(cipher, kOurCipher)) return refuse_flume(kCipher, cipher);
  for (const auto& [key, value] : settings.values()) {
    const bool flumes = key.starts_with("encryption.keyProvider.keyStore") || key.ends_with(".passwordFile");
    if (flumes) return refuse_flume(key, value);
    const bool other = key.starts_with("encryption.") && !settings.has(kProvider);
    if (other) return refuse(key, "is set without encryption.keyProvider: set that, or remove all of encryption.*");
  }
  return {};
}

Result<KeySource::Place> read_place(const Settings& settings, const ProviderName& provider, const std::string& name) {
  if (!is_key_name(name)) {
    return refuse(kKeys, fmt::format("names {}: a key's name has letters, digits, - and _, at most {} of them, and is "
                                     "not {}",
                                     name, kLongestKeyName, kNone));
  }
  const std::string property = fmt::format("{}.{}.{}", kKeys, name, provider.property);
  const auto& values = settings.values();
  const auto where = values.find(property);
  if (where == values.end() || where->second.empty()) {
    return refuse(property, fmt::format("is missing: it says where the key {} is", name));
  }
  return KeySource::Place{name, where->second};
}

Status refuse_stray_keys(const Settings& settings, const KeySource& source, const ProviderName& provider) {
  const std::string prefix = fmt::format("{}.", kKeys);
  for (const auto& [key, value] : settings.values()) {
    if (!key.starts_with(prefix)) continue;
    const auto known = [&key, &prefix, &provider](const KeySource::Place& place) {
      return key == fmt::format("{}{}.{}", prefix, place.name, provider.property);
    };
    if (std::none_of(source.keys.begin(), source.keys.end(), known)) {
      return refuse(key, fmt::format("has no meaning: {} reads {}<name>.{} of the names in {}", provider.name, prefix,
                                     provider.property, kKeys));
    }
  }
  return {};
}

std::string read_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

Result<std::string> read_key_file(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const auto file, files.open(path, FileSystem::Mode::read));
  TRY_ASSIGN(const FileInfo info, file->info());
  if ((info.permissions & 0027) != 0) {
    return Status(Code::invalid, fmt::format("others may read or change {0} (its mode is {1:o}): chmod u=rw,g=r,o= {0}",
                                             path, info.permissions));
  }
  std::string text(kLongestKeyText, '\0');
  TRY_ASSIGN(const std::size_t size, file->read_at(0, text.data(), text.size()));
  text.resize(size);
  return text;
}

using SteadyClock = std::chrono::steady_clock;

Result<std::string> run_key_command(const std::string& command, SteadyClock::time_point deadline) {
  std::vector<std::string> words;
  for (const std::string_view word : split_words(command)) words.emplace_back(word);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return run_external_command(words, left);
}

Result<std::string> read_key_text(const KeySource& source, const KeySource::Place& place,
                                  SteadyClock::time_point deadline, FileSystem& files) {
  switch (source.provider) {
    case KeySource::Provider::file: return read_key_file(files, place.where);
    case KeySource::Provider::environment: {
      std::string text = read_variable(place.where);
      if (text.empty()) return Status(Code::invalid, fmt::format("the variable {} is not set", place.where));
      return text;
    }
    case KeySource::Provider::command: return run_key_command(place.where, deadline);
    case KeySource::Provider::none: break;
  }
  return Status(Code::invalid, "there is no key provider");
}

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool parse_hex(std::string_view text, Key& key) {
  if (text.size() != 2 * key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<char>(high * 16 + low);
  }
  return true;
}

bool parse_base64(std::string_view text, Key& key) {
  constexpr std::size_t kLength = 44;  // of 32 bytes: one '=' at the end
  if (text.size() != kLength || !text.ends_with('=') || text[kLength - 2] == '=') return false;
  unsigned char bytes[kLength / 4 * 3];
  const int size = EVP_DecodeBlock(bytes, reinterpret_cast<const unsigned char*>(text.data()), int(text.size()));
  if (size != int(sizeof bytes)) return false;
  std::copy_n(bytes, key.size(), key.begin());
  return true;
}

}  // namespace

Result<Key> parse_key(std::string_view text) {
  const std::string_view trimmed = trim(text);
  Key key;
  if (parse_hex(trimmed, key) || parse_base64(trimmed, key)) return key;
  return Status(Code::invalid, fmt::format("{} characters are no key: a key is 64 hexadecimal digits, or 32 bytes in "
                                           "base64, as `{}` makes it",
                                           trimmed.size(), kHowToMakeOne));
}

Result<KeySource> read_key_source(const Settings& settings) {
  TRY(refuse_what_is_flumes(settings));
  KeySource source;
  if (!settings.has(kProvider)) return source;
  const ProviderName& provider = *find_provider(settings.text(kProvider));
  source.provider = provider.provider;
  const std::vector<std::string> names = settings.list(kKeys);
  if (names.empty()) return refuse(kKeys, "is missing: it names the keys, with blanks between them");
  for (const std::string& name : names) {
    TRY_ASSIGN(auto place, read_place(settings, provider, name));
    source.keys.push_back(std::move(place));
  }
  TRY(refuse_stray_keys(settings, source, provider));
  const std::string active = settings.text(kActive);
  if (equals_ignoring_case(active, kNone)) return source;
  const bool known = std::find(names.begin(), names.end(), active) != names.end();
  if (!known) {
    return refuse(kActive, fmt::format("must be one of {}, or {} to write new events in clear while older ones still "
                                       "need their keys; it is '{}'",
                                       kKeys, kNone, active));
  }
  source.active = active;
  return source;
}

std::string_view changed_property(const KeySource& before, const KeySource& now) {
  if (before.provider != now.provider) return kProvider;
  if (before.keys != now.keys) return kKeys;
  return before.active == now.active ? std::string_view() : kActive;
}

Result<KeyRing> load_keys(const KeySource& source, FileSystem& files) {
  KeyRing ring;
  const SteadyClock::time_point deadline = SteadyClock::now() + source.command_limit;
  for (const KeySource::Place& place : source.keys) {
    const std::string property = fmt::format("{}.{}: ", kKeys, place.name);
    auto text = read_key_text(source, place, deadline, files);
    if (!text.ok()) return text.status().with_context(property);
    const std::string_view trimmed = trim(*text);
    keep_secret(std::set<std::string, std::less<>>{std::string(trimmed)});
    const auto key = parse_key(trimmed);
    // A command may hold what nobody should read.
    const bool is_command = source.provider == KeySource::Provider::command;
    if (!key.ok()) return key.status().with_context(property + (is_command ? "its command" : place.where));
    ring.add(place.name, *key);
  }
  if (!source.active.empty()) ring.activate(source.active);
  return ring;
}

}  // namespace standpipe::file_channel
