#pragma once

#include "sources/avro/avro_source.h"
#include "support/avro_client.h"
#include "support/listening_source_test.h"

namespace standpipe::testing {

class AvroSourceTest : public ListeningSourceTest {
 protected:
  AvroSourceTest() : ListeningSourceTest(kAvroSource) {}
};

}  // namespace standpipe::testing
