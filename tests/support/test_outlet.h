#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "standpipe/sink.h"

namespace standpipe::testing {

/// A channel as a sink under test sees it: what was put is taken in order, what is given back is taken again before
/// anything younger, and the test sees what was committed. One thread.
class TestOutlet final : public Outlet {
 public:
  TestOutlet();
  ~TestOutlet() override;

  void put(std::string_view body, const Headers& headers = {});
  /// Events that share one header block, as a source makes them.
  void put_all(const std::vector<std::string>& bodies, const Headers& headers = {});
  Result<Lease> take(std::size_t max_events) override;

  std::size_t waiting() const;                 ///< takeable now
  std::size_t leased() const;                  ///< taken, not settled
  std::vector<std::string> committed() const;  ///< bodies, in the order of commits
  void fail_takes(Status status);              ///< ok: takes work again

 private:
  struct State;
  class Backend;
  std::shared_ptr<State> state_;
};

}  // namespace standpipe::testing
