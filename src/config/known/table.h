#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "standpipe/option.h"

/// Small words to write option tables with; everything is evaluated at compile time. Only for the .cc files of this
/// folder: a component with a folder of its own spells its options out.
namespace standpipe::table {

inline constexpr std::int64_t kInt = std::numeric_limits<std::int32_t>::max();  // what Flume reads as a Java int
inline constexpr std::int64_t kLong = std::numeric_limits<std::int64_t>::max();

constexpr Option required(Option option) {
  option.required = true;
  return option;
}

constexpr Option lenient(Option option) {
  option.lenient = true;
  return option;
}

constexpr Option also(Option option, std::string_view aliases) {
  option.aliases = aliases;
  return option;
}

constexpr Option no_effect(Option option, std::string_view why) {
  option.no_effect = why;
  return option;
}

constexpr Option flag(std::string_view name, std::string_view fallback, std::string_view help) {
  return {name, Kind::boolean, fallback, help};
}

constexpr Option choice(std::string_view name, std::string_view fallback, std::string_view choices,
                        std::string_view help) {
  Option option{name, Kind::choice, fallback, help};
  option.choices = choices;
  return option;
}

/// A nested component: `kind` is what it is, in the words of to_string(ComponentKind).
constexpr Option nested(std::string_view name, std::string_view fallback, std::string_view kind,
                        std::string_view help) {
  Option option{name, Kind::type, fallback, help};
  option.choices = kind;
  return option;
}

constexpr Option number(std::string_view name, std::string_view fallback, std::int64_t min, std::string_view help,
                        std::string_view unit = {}, std::int64_t max = kInt) {
  Option option{name, Kind::integer, fallback, help, unit};
  option.min = min;
  option.max = max;
  return option;
}

constexpr Option events(std::string_view name, std::string_view fallback, std::int64_t min, std::string_view help,
                        std::int64_t max = kInt) {
  return number(name, fallback, min, help, "events", max);
}

constexpr Option bytes(std::string_view name, std::string_view fallback, std::int64_t min, std::string_view help,
                       std::int64_t max = kInt) {
  return number(name, fallback, min, help, "bytes", max);
}

constexpr Option millis(std::string_view name, std::string_view fallback, std::int64_t min, std::string_view help) {
  Option option{name, Kind::duration, fallback, help, "ms"};
  option.min = min;
  return option;
}

constexpr Option seconds(std::string_view name, std::string_view fallback, std::int64_t min, std::string_view help) {
  Option option{name, Kind::duration, fallback, help, "s"};
  option.min = min;
  return option;
}

/// One table out of several: components share blocks of options (TLS, storage).
template <std::size_t... Sizes>
constexpr auto join(const std::array<Option, Sizes>&... parts) {
  std::array<Option, (Sizes + ...)> all{};
  std::size_t at = 0;
  const auto append = [&](const auto& part) {
    for (const Option& option : part) all[at++] = option;
  };
  (append(parts), ...);
  return all;
}

}  // namespace standpipe::table
