#pragma once

#include "standpipe/component.h"

namespace standpipe {

/// Flume's hdfs sink: events go into files under folders that their headers and times decide (buckets). A lease is
/// committed bucket by bucket: an event leaves the channel when its file has been flushed durably (see `acknowledges`
/// in the table); a bucket that fails gives back its own events and holds up no other. Several leases share one sync.
/// Files are rolled by age, size and number exactly as Flume does it, and a crash leaves nothing behind: the names of
/// open files are kept in the component's state folder, and start() finishes what an earlier life left.
extern const ComponentInfo kHdfsSinkInfo;
extern const SinkFactory kHdfsSink;

}  // namespace standpipe
