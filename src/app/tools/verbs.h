#pragma once

#include "app/tools/tool.h"

namespace standpipe {

// One file each.
extern const FileChannelVerb kExportVerb;

}  // namespace standpipe
