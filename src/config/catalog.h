#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "standpipe/option.h"

namespace standpipe {

/// Every component that the checker knows, built or not: what a `type` may name. A view of constants that outlive it;
/// immutable, so any thread may ask. The agent makes one from its builtin list.
class Catalog {
 public:
  explicit Catalog(std::span<const ComponentInfo* const> infos) : infos_(infos) {}

  /// What a `type` value came to.
  struct Match {
    const ComponentInfo* info = nullptr;  ///< null: unknown
    bool exact_case = true;               ///< false: the right name in another case
  };
  /// By alias in any case or by class name; an interceptor or serializer class is also known without "$Builder". Class
  /// names match in any case too: `exact_case` says that the original would refuse it.
  Match find(ComponentKind kind, std::string_view type) const;

  /// The known type nearest to a misspelt one; null when none is near.
  const ComponentInfo* nearest(ComponentKind kind, std::string_view type) const;

  /// The other components of `kind` that have a property of this name ("port" is a property of avro, netcat, …).
  std::vector<std::string_view> with_property(ComponentKind kind, std::string_view key) const;

  std::span<const ComponentInfo* const> infos() const { return infos_; }

 private:
  std::span<const ComponentInfo* const> infos_;
};

/// The shortest name that a user may write for it: the alias, or the class name where Flume has no alias.
std::string_view display_name(const ComponentInfo& info);

}  // namespace standpipe
