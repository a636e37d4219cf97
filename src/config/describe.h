#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "standpipe/option.h"

namespace standpipe {

/// Renders option tables as manual pages, so that what the manual, the terminal and a form say can't differ from what
/// is checked. Pure functions of the table; options keep the table's order.

/// One component for the terminal; no line is longer than `width` unless a single word is.
std::string describe_text(const ComponentInfo& info, std::size_t width = 100);

/// One component as a section of the manual: heading, summary, table of options.
std::string describe_markdown(const ComponentInfo& info);

/// All components, by kind and then by name: sections under a heading for each kind.
std::string describe_all_markdown(std::span<const ComponentInfo* const> infos);

/// All components in the same order as a JSON array, one object each. Keys: kind, name, classNames, summary, built,
/// batchOption, acknowledges, options; an option's: name, kind, default, help, unit, required, lenient, min, max,
/// choices, aliases, noEffect. What does not apply is left out.
std::string describe_all_json(std::span<const ComponentInfo* const> infos);

/// What a value must be, in words: "whole number of ms, at least 1".
std::string value_in_words(const Option& option);

/// "integer", "comma_list", …: the kind's name in JSON.
std::string_view to_string(Kind kind);

}  // namespace standpipe
