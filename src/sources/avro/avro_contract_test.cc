#include "contract/rpc_source_contract.h"
#include "sources/avro/avro_source.h"
#include "support/avro_client.h"

namespace standpipe::testing {
namespace {

const RpcSourceUnderTest kAvro{
    &kAvroSource, {}, [](std::uint16_t port) { return std::make_unique<AvroTestClient>(port); }};

INSTANTIATE_TEST_SUITE_P(Avro, SourceContract, ::testing::Values(as_any_source(kAvro)));
INSTANTIATE_TEST_SUITE_P(Avro, RpcSourceContract, ::testing::Values(kAvro));

}  // namespace
}  // namespace standpipe::testing
