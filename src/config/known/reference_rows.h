#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/option.h"
#include "standpipe/status.h"

/// For tests: the list of Flume's properties that was made from its code, one row each, held against option tables.
namespace standpipe {

/// One property of one row; a row that names several gives several.
struct ReferenceRow {
  std::string file;
  int line = 0;
  std::string kind;      ///< "source", "http-handler", "rpcclient", …
  std::string alias;     ///< as written, may be a remark in parentheses
  std::string type;      ///< the class name
  std::string property;  ///< with every "<part>" as "x"
};

/// All rows of the folder's components-*.tsv files.
Result<std::vector<ReferenceRow>> read_reference_rows(const std::string& folder);

/// The component that a row speaks of. Null: none of `infos` (or the row belongs to a property group).
const ComponentInfo* component_of(std::span<const ComponentInfo* const> infos, const ReferenceRow& row);

/// Ok when a table (the component's, its kind's shared keys, or a property group) has the row's property and the
/// component knows the row's names; else Code::invalid with what is missing.
Status check_reference_row(std::span<const ComponentInfo* const> infos, const ReferenceRow& row);

}  // namespace standpipe
