#include "config/catalog.h"

#include <algorithm>

#include "base/text.h"
#include "config/spelling.h"
#include "standpipe/settings.h"

namespace standpipe {

namespace {

constexpr std::string_view kBuilder = "$Builder";

std::string_view without_builder(std::string_view type) {
  if (type.ends_with(kBuilder)) type.remove_suffix(kBuilder.size());
  return type;
}

std::string_view simple_name(std::string_view class_name) {
  return without_builder(class_name.substr(class_name.rfind('.') + 1));
}

}  // namespace

Catalog::Match Catalog::find(ComponentKind kind, std::string_view type) const {
  Match near;
  const std::string_view bare = without_builder(type);
  for (const ComponentInfo* info : infos_) {
    if (info->kind != kind) continue;
    if (info->name == type) return {info, true};
    if (equals_ignoring_case(info->name, type)) near = {info, false};
    for (const std::string_view class_name : info->class_names) {
      if (class_name == type || without_builder(class_name) == bare) return {info, true};
      if (equals_ignoring_case(without_builder(class_name), bare)) near = {info, false};
    }
  }
  return near;
}

const ComponentInfo* Catalog::nearest(ComponentKind kind, std::string_view type) const {
  std::vector<std::string_view> words;
  std::vector<const ComponentInfo*> owners;
  const auto add = [&](std::string_view word, const ComponentInfo* info) {
    if (word.empty()) return;
    words.push_back(word);
    owners.push_back(info);
  };
  const bool class_name = type.find('.') != std::string_view::npos;
  for (const ComponentInfo* info : infos_) {
    if (info->kind != kind) continue;
    if (!class_name) add(info->name, info);
    for (const std::string_view name : info->class_names) {
      if (class_name) add(name, info);
      if (!class_name) add(simple_name(name), info);  // "KafkaSink" for the whole class name
    }
  }
  const std::string_view found = nearest_word(type, words);
  if (found.empty()) return nullptr;
  return owners[static_cast<std::size_t>(std::find(words.begin(), words.end(), found) - words.begin())];
}

std::vector<std::string_view> Catalog::with_property(ComponentKind kind, std::string_view key) const {
  std::vector<std::string_view> names;
  for (const ComponentInfo* info : infos_) {
    if (info->kind != kind) continue;
    const bool named = std::any_of(info->options.begin(), info->options.end(),
                                   [&](const Option& option) { return option.name == key; });
    if (named) names.push_back(display_name(*info));
  }
  return names;
}

std::string_view display_name(const ComponentInfo& info) {
  return info.name.empty() && !info.class_names.empty() ? info.class_names.front() : info.name;
}

}  // namespace standpipe
