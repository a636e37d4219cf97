#include "support/test_outlet.h"

#include <algorithm>
#include <utility>

namespace standpipe::testing {

namespace {
enum class Place : unsigned char { waiting, leased, committed };
}  // namespace

struct TestOutlet::State {
  struct Event {
    std::string body;
    std::shared_ptr<const Headers> headers;
    Place place = Place::waiting;
  };
  std::vector<std::unique_ptr<Event>> events;
  std::vector<std::string> committed;
  Status take_failure;

  std::size_t count(Place place) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const auto& event) { return event->place == place; }));
  }
};

class TestOutlet::Backend final : public LeaseBackend {
 public:
  Backend(std::shared_ptr<State> state, std::vector<std::size_t> indices)
      : state_(std::move(state)), indices_(std::move(indices)) {}

  Status commit(std::size_t first, std::size_t last) override {
    for (std::size_t i = first; i < last; ++i) {
      State::Event& event = *state_->events[indices_[i]];
      event.place = Place::committed;
      state_->committed.push_back(event.body);
    }
    return {};
  }
  void give_back(std::size_t first, std::size_t last) override {
    for (std::size_t i = first; i < last; ++i) state_->events[indices_[i]]->place = Place::waiting;
  }

 private:
  std::shared_ptr<State> state_;
  std::vector<std::size_t> indices_;
};

TestOutlet::TestOutlet() : state_(std::make_shared<State>()) {}
TestOutlet::~TestOutlet() = default;

void TestOutlet::put(std::string_view body, const Headers& headers) { put_all({std::string(body)}, headers); }

void TestOutlet::put_all(const std::vector<std::string>& bodies, const Headers& headers) {
  const auto shared = std::make_shared<const Headers>(headers);
  for (const std::string& body : bodies) {
    state_->events.push_back(std::make_unique<State::Event>(State::Event{body, shared}));
  }
}

Result<Lease> TestOutlet::take(std::size_t max_events) {
  if (!state_->take_failure.ok()) return state_->take_failure;
  auto batch = std::make_shared<Batch>();
  std::vector<std::size_t> indices;
  std::map<const Headers*, Batch::Block> blocks;
  for (std::size_t i = 0; i < state_->events.size() && indices.size() < max_events; ++i) {
    State::Event& event = *state_->events[i];
    if (event.place != Place::waiting) continue;
    event.place = Place::leased;
    const auto known = blocks.find(event.headers.get());
    const Batch::Block block = known != blocks.end() ? known->second : batch->add_headers(event.headers);
    blocks[event.headers.get()] = block;
    batch->add(event.body, block);  // the event outlives the lease: State keeps all of them
    indices.push_back(i);
  }
  if (indices.empty()) return Lease();
  const std::size_t count = indices.size();
  std::vector<BatchSpan> spans;
  spans.push_back({std::move(batch), 0, count});
  return Lease(std::move(spans), std::make_unique<Backend>(state_, std::move(indices)));
}

std::size_t TestOutlet::waiting() const { return state_->count(Place::waiting); }
std::size_t TestOutlet::leased() const { return state_->count(Place::leased); }
std::vector<std::string> TestOutlet::committed() const { return state_->committed; }
void TestOutlet::fail_takes(Status status) { state_->take_failure = std::move(status); }

}  // namespace standpipe::testing
