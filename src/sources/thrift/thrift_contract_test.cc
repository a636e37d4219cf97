#include "contract/rpc_source_contract.h"
#include "sources/thrift/thrift_source.h"
#include "support/thrift_client.h"

namespace standpipe::testing {
namespace {

RpcSourceUnderTest thrift(bool compact) {
  return {&kThriftSource, {{"protocol", compact ? "compact" : "binary"}}, [compact](std::uint16_t port) {
            return std::make_unique<ThriftTestClient>(port, compact);
          }};
}

INSTANTIATE_TEST_SUITE_P(Thrift, SourceContract,
                         ::testing::Values(as_any_source(thrift(true)), as_any_source(thrift(false))));
INSTANTIATE_TEST_SUITE_P(Thrift, RpcSourceContract, ::testing::Values(thrift(true), thrift(false)));

}  // namespace
}  // namespace standpipe::testing
