#pragma once

#include "sources/avro/avro_source.h"
#include "support/avro_client.h"
#include "support/listening_source_test.h"

namespace standpipe::testing {

class AvroSourceTest : public ListeningSourceTest {
 protected:
  explicit AvroSourceTest(Clock& clock = real_clock()) : ListeningSourceTest(kAvroSource, clock) {}
};

}  // namespace standpipe::testing
