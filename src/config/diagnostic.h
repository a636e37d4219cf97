#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace standpipe {

/// How much a diagnostic weighs. `error`: something that the file asks for does not run. `warning`: it runs, probably
/// not as meant. `note`: worth knowing, nothing to do.
enum class Severity : unsigned char { error, warning, note };
std::string_view to_string(Severity severity);

/// What is wrong, as a class. to_string() gives the stable kebab-case name that users may grep for and that the manual
/// lists ("unknown-type"); names are never reused for something else.
enum class DiagnosticCode : unsigned char {
  syntax,                      ///< text that is no Java property, a malformed \uXXXX
  encoding,                    ///< bytes that are not UTF-8, UTF-16
  duplicate_key,               ///< a key given twice in one file
  invalid_property,            ///< no dot, unknown kind, no name
  empty_value,                 ///< a key without a value
  unknown_property,            ///< a key that the component's table lacks
  undeclared_component,        ///< properties of a component that no list names
  missing_component,           ///< a listed component without properties
  invalid_agent,               ///< an agent that can't run at all: no channels, nothing to do
  unknown_type,                ///< a type that nobody knows
  type_case,                   ///< a type in another case than its name
  not_built,                   ///< known to Flume, not yet here
  missing_type,                ///< no `type`
  missing_required,            ///< a required property is missing
  bad_value,                   ///< a value that its property can't have
  deprecated,                  ///< an older key; it works
  no_effect,                   ///< accepted, changes nothing here
  missing_channel,             ///< a source without `channels`, a sink without `channel`
  unknown_channel,             ///< a channel that the agent does not have
  unconnected_channel,         ///< nobody writes it, or nobody reads it
  batch_exceeds_transaction,   ///< batch size above transactionCapacity
  capacity_below_transaction,  ///< capacity below transactionCapacity
  unknown_selector,            ///< a selector type that nobody knows
  unknown_interceptor,         ///< an interceptor that is not known, has no type or is not configured
  selector_channel,            ///< a selector that names a channel its source does not write to
  trailing_comment,            ///< " # comment" after a value
  odd_character,               ///< non-breaking, full-width, zero-width characters, curly quotes
  wrapped_value,               ///< a value that goes on in the next line
  singular_key,                ///< `a1.source`, `channel` for `channels`
  wrong_agent,                 ///< a prefix that is no agent of the file
  unresolved_placeholder,      ///< ${…} that nothing resolves
  placeholder_cycle,           ///< ${a} -> ${b} -> ${a}
  config_filter,               ///< a config filter that is not known or fails
  group_member,                ///< a sink group's member that does not exist or is taken
  shared_folder,               ///< a folder that a component must have for itself, named twice
  template_text,               ///< "template": an unrendered Jinja, ERB or Mustache template
};
std::string_view to_string(DiagnosticCode code);

/// One finding about a configuration, for a person who has the file open in an editor. Holds no secret: a value that
/// came out of a placeholder or filter, or belongs to a secret property, is never in any of its texts.
struct Diagnostic {
  Severity severity = Severity::error;
  DiagnosticCode code = DiagnosticCode::syntax;
  std::string file = {};         ///< as the user named it; empty: no file is to blame
  std::uint32_t line = 0;        ///< from 1; 0: the file as a whole
  std::string agent = {};        ///< "a1"; empty: none
  std::string component = {};    ///< "sinks.k1"; empty: none
  std::string key = {};          ///< the whole key as written: "a1.sinks.k1.type"; empty: none
  std::string message = {};      ///< what is wrong
  std::string suggestion = {};   ///< did-you-mean, or the way out; may be empty
  std::string consequence = {};  ///< what happens now: "sink k1 is left out"; may be empty
};
using Diagnostics = std::vector<Diagnostic>;

}  // namespace standpipe
