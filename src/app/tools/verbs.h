#pragma once

#include "app/tools/tool.h"

namespace standpipe {

extern const FileChannelVerb kInspectVerb;
extern const FileChannelVerb kRepairVerb;
extern const FileChannelVerb kVerifyVerb;

}  // namespace standpipe
