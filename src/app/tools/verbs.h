#pragma once

#include "app/tools/tool.h"

namespace standpipe {

// One file each.
extern const FileChannelVerb kExportVerb;
extern const FileChannelVerb kInspectVerb;
extern const FileChannelVerb kRepairVerb;
extern const FileChannelVerb kVerifyVerb;

}  // namespace standpipe
