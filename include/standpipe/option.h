#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace standpipe {

/// What a value must look like. It also decides whether a trailing " # comment" is taken for one: in all kinds but
/// `text`, `command`, `regex` and `secret`, which stay exact.
enum class Kind : unsigned char {
  text,     ///< free text
  command,  ///< a shell or process command
  regex,    ///< a java.util.regex pattern
  secret,   ///< never printed
  name,     ///< one word: an alias, a header name, a topic, a principal
  boolean,  ///< "true" in any case; anything else is false, as in Flume
  integer,
  real,
  duration,  ///< a whole number of `unit` ("ms" or "s")
  path,      ///< a file or folder; may hold path escapes where the help says so
  host,
  port,        ///< 1..65535 (0: any free port, for tests)
  charset,     ///< a Java charset name
  choice,      ///< one of `choices`, in any case
  list,        ///< words split on white space
  comma_list,  ///< words split on commas
  type,        ///< a nested component: an alias or a class name of `choices`' component kind ("serializer", …)
};

/// One property of a component: the only place where it is declared. Parsing, diagnostics, the manual, completion and
/// forms all read it. `name` may contain `*` for a part that the user chooses ("filegroups.*", "headers.*.*"; a
/// trailing
/// ".*" covers everything below).
struct Option {
  std::string_view name;
  Kind kind = Kind::text;
  std::string_view fallback = {};  ///< the default as a user would write it; empty: none
  std::string_view help = {};
  std::string_view unit = {};  ///< "ms", "s", "bytes", "events"; empty: a plain number or text
  bool required = false;
  /// A bad value is answered with a warning and the fallback instead of leaving the component out: where Flume does so.
  bool lenient = false;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::string_view choices = {};  ///< "never|immediate"; for Kind::type the kind of component
  std::string_view aliases = {};  ///< older keys for the same thing, separated by blanks
  /// Not empty: accepted, has no effect here (or not any more); the text says why and what replaces it.
  std::string_view no_effect = {};
  /// The value is a folder, or several, that nothing else of the agent may use: two that name the same one are an
  /// error.
  bool own_folder = false;
};

enum class ComponentKind : unsigned char {
  source,
  channel,
  sink,
  interceptor,
  selector,
  sink_processor,
  config_filter,
  deserializer,
  serializer,
  handler
};
std::string_view to_string(ComponentKind kind);

/// A component as a table. One constant per component, in its folder, listed in the agent's builtin list.
struct ComponentInfo {
  ComponentKind kind;
  std::string_view name;                               ///< the alias in a configuration file, lower case
  std::span<const std::string_view> class_names = {};  ///< Flume's class names that mean the same
  std::string_view summary = {};                       ///< one sentence for the manual
  std::span<const Option> options = {};
  /// Known to Flume, not yet here: its properties are checked, the component is left out with a message.
  bool built = true;
  /// For a sink or source: the option that is its batch size, compared with transactionCapacity. Empty: none.
  std::string_view batch_option = {};
  /// For a sink: what "its destination has acknowledged" means; for a channel: what "stored" means. Printed by check.
  std::string_view acknowledges = {};
};

}  // namespace standpipe
