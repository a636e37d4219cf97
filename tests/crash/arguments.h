#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace standpipe::crash {

/// `--name value` and `--name` of a torture program; ends it with a message for what it does not know.
class Arguments {
 public:
  using Setter = std::function<void(const std::string&)>;

  void text(std::string name, std::string& target) {
    setters_[std::move(name)] = [&target](const std::string& value) { target = value; };
  }
  template <typename Number>
  void number(std::string name, Number& target) {
    setters_[name] = [&target, name](const std::string& value) {
      const auto parsed = parse_integer(value);
      if (!parsed.has_value() || *parsed < 0 || !std::in_range<Number>(*parsed)) fail("--" + name + " wants a number");
      target = static_cast<Number>(*parsed);
    };
  }
  void flag(std::string name, std::function<void()> act) { flags_[std::move(name)] = std::move(act); }

  void parse(int count, char** values) const {
    for (int i = 1; i < count; ++i) {
      const std::string name = std::string_view(values[i]).starts_with("--") ? values[i] + 2 : "";
      if (const auto flag = flags_.find(name); flag != flags_.end()) {
        flag->second();
        continue;
      }
      const auto setter = setters_.find(name);
      if (setter == setters_.end()) fail(std::string("unknown argument ") + values[i]);
      if (++i == count) fail("--" + name + " wants a value");
      setter->second(values[i]);
    }
  }

 private:
  [[noreturn]] static void fail(const std::string& message) {
    std::fprintf(stderr, "torture: %s\n", message.c_str());
    std::exit(2);
  }

  std::map<std::string, Setter> setters_;
  std::map<std::string, std::function<void()>> flags_;
};

}  // namespace standpipe::crash
