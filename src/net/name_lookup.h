#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/network.h"

namespace standpipe {

/// Finds the names of peers, on a few threads of its own: name servers may be slow, and the loop never waits for one.
/// A name counts only when it leads back to the address, as Java sees it; else whoever has the address could call
/// itself what it likes. Answers are remembered for five minutes. Loop's thread only, but for look_up.
class NameLookup {
 public:
  using Found = std::function<void(const std::string& name)>;
  using LookUp = std::function<std::string(const std::string& address)>;

  /// `look_up` blocks; it gives the name, or nothing.
  NameLookup(Network& network, Clock& clock, LookUp look_up = ask_system);
  /// No callback comes any more; a thread that a name server keeps waiting is left alone.
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// Calls back on the loop, never from inside: with the name, or with "" where there is none, or where more than a
  /// thousand wait already.
  void find(const std::string& address, Found found);

  static std::string ask_system(const std::string& address);

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace standpipe
