#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/agent_text.h"
#include "config/catalog.h"
#include "config/diagnostic.h"
#include "standpipe/settings.h"

namespace standpipe {

/// Judges one component's properties against its table, with lines and suggestions. Made for one component, used once;
/// refers to all it is given.
class ComponentCheck {
 public:
  /// `label` is what diagnostics call it ("sinks.k1"), `outcome` what happens when it can't run ("sink k1 is left
  /// out").
  ComponentCheck(const Catalog& catalog, std::string label, std::string outcome, Diagnostics& diagnostics)
      : catalog_(catalog), label_(std::move(label)), outcome_(std::move(outcome)), diagnostics_(diagnostics) {}

  /// The table that `type` names. Null, with a diagnostic, when there is none. A component that is not built is
  /// returned, so that its properties can be checked: sound() is false then. `unknown` is the code for a type that
  /// nobody knows.
  const ComponentInfo* find_type(ComponentKind kind, const Entry& type,
                                 DiagnosticCode unknown = DiagnosticCode::unknown_type);

  /// Every property in `properties` against the table; nested components too. `place` is what a missing property is
  /// blamed on; `prefix` is what its whole key would begin with ("a1.sinks.k1."). Returns what passed; sound() says
  /// whether the component may run.
  Settings check(const ComponentInfo& info, const EntryMap& properties, const Entry& place, const std::string& prefix);

  /// For properties whose table is not known: only what is wrong with any property.
  void check_unknown(const EntryMap& properties);

  /// The words of a list (channels, interceptors, a selector's mapping), cleaned.
  std::vector<std::string> names(const Entry& entry);
  /// One word: a channel's name.
  std::string name(const Entry& entry);

  /// A text without comment and odd characters, as its kind allows. Empty: nothing is left, which has been reported.
  std::string clean(Kind kind, const Entry& entry);

  void report(Severity severity, DiagnosticCode code, const Entry& entry, std::string message,
              std::string suggestion = {}, std::string consequence = {});
  /// An error after which the component can't run.
  void fail(DiagnosticCode code, const Entry& entry, std::string message, std::string suggestion = {});

  /// The same about the component as a whole: something is missing, and `place` is only where it might stand. `prefix`
  /// is the component's, with its dot.
  void fail_whole(DiagnosticCode code, const Entry& place, std::string_view prefix, std::string message,
                  std::string suggestion);
  /// A word of a value for a message: in quotes, or not at all when it may be a secret.
  static std::string quoted(const Entry& entry, std::string_view word);

  /// A note: the component is left out (`fatal`) or runs with less because something else is left out, which has been
  /// reported where it stands.
  void follow(const Entry& entry, std::string message, bool fatal,
              DiagnosticCode code = DiagnosticCode::unknown_channel);

  bool sound() const { return sound_; }
  const std::string& label() const { return label_; }
  const std::string& outcome() const { return outcome_; }

 private:
  void check_property(const ComponentInfo& info, const EntryMap& properties, std::string_view key, const Entry& entry,
                      Settings::Map& values);
  void check_option(const Option& option, const Entry& entry, std::string value, Settings::Map& values,
                    std::string_view key);
  void check_nested(const ComponentInfo& info, const EntryMap& properties, const Entry& place,
                    const std::string& prefix, Settings::Map& values);
  void check_required(const ComponentInfo& info, const Settings& settings, const Entry& place,
                      const std::string& prefix);
  void report_alias(const Option& option, std::string_view key, const EntryMap& properties, const Entry& entry);
  void report_unknown(const ComponentInfo& info, std::string_view key, const Entry& entry);
  void report_unknown_type(ComponentKind kind, const Entry& entry, const std::string& type, DiagnosticCode code);
  void report_bad_value(const Option& option, const Entry& entry, const std::string& value, std::string_view problem);
  void report_empty(const Option* option, const Entry& entry);
  std::string_view without_comment(Kind kind, const Entry& entry, std::string_view value);
  void report_curly_quote(const Entry& entry, std::string_view value);

  const Catalog& catalog_;
  std::string label_;
  std::string outcome_;
  Diagnostics& diagnostics_;
  std::set<const Option*> rejected_;  ///< given, with a value that can't be: not missing
  bool sound_ = true;
  bool inside_unbuilt_ = false;  ///< a nested component is not yet here either: one message is enough
};

/// The component kind that an option of Kind::type names in its choices; nothing: it names none.
std::optional<ComponentKind> nested_kind(const Option& option);

}  // namespace standpipe
