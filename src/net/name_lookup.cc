#include "net/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace standpipe {

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMostWaiting = 1000;
constexpr std::size_t kMostRemembered = 10'000;
constexpr std::chrono::minutes kRemembered{5};
constexpr std::chrono::seconds kIdle{10};  // then a thread ends

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList addresses_of(const std::string& text, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  if (::getaddrinfo(text.c_str(), nullptr, &hints, &list) != 0) list = nullptr;
  return {list, &::freeaddrinfo};
}

std::string text_of(const addrinfo& address, int flags) {
  char text[NI_MAXHOST];
  const int failed = ::getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr, 0, flags);
  return failed != 0 ? "" : text;
}

}  // namespace

/// Shared with the threads. What the mutex guards is said; the rest is the loop's.
class NameLookup::State : public std::enable_shared_from_this<State> {
 public:
  State(Network& network, Clock& clock, LookUp look_up)
      : network_(network), door_(network.door()), clock_(clock), look_up_(std::move(look_up)) {}

  void find(const std::string& address, Found found) {
    if (const auto known = known_.find(address); known != known_.end() && known->second.until > clock_.steady_now()) {
      return later(std::move(found), known->second.name);
    }
    const auto [asked, first] = asked_.try_emplace(address);
    if (first && !enqueue(address)) {
      asked_.erase(asked);
      return later(std::move(found), "");
    }
    asked->second.push_back(std::move(found));
  }

  void end() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    wakes_.notify_all();
  }

 private:
  struct Known {
    std::string name;
    Clock::Steady until;
  };

  void later(Found found, std::string name) {
    network_.post([self = shared_from_this(), found = std::move(found), name = std::move(name)] {
      if (!self->has_ended()) found(name);
    });
  }

  bool has_ended() const {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  bool enqueue(const std::string& address) {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(address);
    if (waiting_.size() <= idle_ || threads_ == kThreads) {
      wakes_.notify_one();
    } else {
      ++threads_;
      std::thread([self = shared_from_this()] { self->work(); }).detach();
    }
    return true;
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool woken = wakes_.wait_for(lock, kIdle, [this] { return ended_ || !waiting_.empty(); });
      --idle_;
      if (ended_ || !woken) break;
      const std::string address = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      std::string name = look_up_(address);
      door_([self = shared_from_this(), address, name = std::move(name)] { self->answered(address, name); });
      lock.lock();
    }
    --threads_;
  }

  void answered(const std::string& address, const std::string& name) {
    if (has_ended()) return;
    if (known_.size() >= kMostRemembered) known_.clear();
    known_[address] = {name, clock_.steady_now() + kRemembered};
    const auto asked = asked_.extract(address);
    if (asked.empty()) return;
    for (const Found& found : asked.mapped()) {
      if (!has_ended()) found(name);
    }
  }

  Network& network_;
  const Network::Door door_;
  Clock& clock_;
  const LookUp look_up_;
  std::unordered_map<std::string, std::vector<Found>> asked_;
  std::unordered_map<std::string, Known> known_;

  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<std::string> waiting_;  // guarded
  std::size_t threads_ = 0;          // guarded
  std::size_t idle_ = 0;             // guarded
  bool ended_ = false;               // guarded
};

NameLookup::NameLookup(Network& network, Clock& clock, LookUp look_up)
    : state_(std::make_shared<State>(network, clock, std::move(look_up))) {}

NameLookup::~NameLookup() { state_->end(); }

void NameLookup::find(const std::string& address, Found found) { state_->find(address, std::move(found)); }

std::string NameLookup::ask_system(const std::string& address) {
  const AddressList own = addresses_of(address, AI_NUMERICHOST);
  if (own == nullptr) return {};
  std::string name = text_of(*own, NI_NAMEREQD);
  if (name.empty()) return {};
  const AddressList claimed = addresses_of(name, 0);
  for (const addrinfo* each = claimed.get(); each != nullptr; each = each->ai_next) {
    if (text_of(*each, NI_NUMERICHOST) == address) return name;
  }
  return {};
}

}  // namespace standpipe
