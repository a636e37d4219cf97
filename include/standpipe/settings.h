#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "standpipe/option.h"
#include "standpipe/status.h"

namespace standpipe {

/// The checked settings of one component: what the user wrote, its table, and the table's defaults. Every value in it
/// has passed check_value(), so the getters can't fail; asking for a key that the table lacks is a bug and aborts. A
/// value type; cheap to copy; immutable after parse().
class Settings {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  Settings() = default;

  /// Checks `values` (key -> text, trimmed) against the table: unknown keys, bad values, missing required ones. The
  /// configuration layer does the same with lines and suggestions; this is for tests and programs.
  static Result<Settings> parse(const ComponentInfo& info, Map values);
  /// For the configuration layer, which has checked already.
  static Settings unchecked(const ComponentInfo& info, Map values);

  const ComponentInfo& info() const { return *info_; }

  bool has(std::string_view key) const;  ///< the user set it (under this name or an alias)
  std::string text(std::string_view key) const;
  std::optional<std::string> optional_text(std::string_view key) const;  ///< set or defaulted to something non-empty
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;  ///< whatever the option's unit
  std::vector<std::string> list(std::string_view key) const;       ///< split as the option's kind says
  /// Lower-cased value of a Kind::choice or Kind::type.
  std::string choice(std::string_view key) const;

  /// What stands below `prefix` (which ends in '.'), with the prefix removed: "headers." -> {"g1.topic": "a"}.
  Map below(std::string_view prefix) const;
  const Map& values() const { return values_; }

  /// The settings of a nested component (a serializer, a deserializer, an interceptor): what stands below `prefix`.
  Settings nested(const ComponentInfo& info, std::string_view prefix) const;

 private:
  const Option& option(std::string_view key) const;
  const ComponentInfo* info_ = nullptr;
  Map values_;
};

/// Ok when `text` is a legal value of `option`; else Code::invalid with what is wrong and what would be right, without
/// naming the property.
Status check_value(const Option& option, std::string_view text);

/// The option that a key means: by exact name, alias or pattern. Null: none.
const Option* find_option(const ComponentInfo& info, std::string_view key);

/// Whether `key` matches an option name that may contain `*` ("headers.*.*" matches "headers.g1.topic"; a `*` matches
/// one part, and a trailing `.*` everything below).
bool matches_pattern(std::string_view pattern, std::string_view key);

/// The component that a `type` value names: alias in any case, or class name exactly. Null: none.
const ComponentInfo* find_component(std::span<const ComponentInfo* const> infos, ComponentKind kind,
                                    std::string_view type);

}  // namespace standpipe
