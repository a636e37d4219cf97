#include "core/optional_queue.h"

#include <fmt/format.h>

#include "core/batch_part.h"

namespace standpipe {

OptionalQueue::OptionalQueue(NamedChannel channel, Environment& environment, OptionalLimits limits)
    : channel_(std::move(channel)),
      environment_(environment),
      limits_(limits),
      dropped_(environment.counters.counter(counter_names::kOptionalDropped)) {}

void OptionalQueue::offer(BatchPtr batch, const Post& post) {
  const bool too_large = static_cast<std::int64_t>(batch->size()) > channel_.channel->capacity() ||
                         batch->bytes() > channel_.channel->byte_capacity();
  if (too_large && batch->size() > 1) {
    const std::size_t half = batch->size() / 2;
    offer(batch_part(batch, 0, half), post);
    return offer(batch_part(batch, half, batch->size()), post);
  }
  auto item = std::make_shared<Item>();
  item->batch = std::move(batch);
  if (waiting_.empty() && store(item, post)) return;
  item->bytes = item->batch->bytes();
  if (bytes_ + item->bytes > limits_.bytes) {
    drop(*item, "the queue for it is full");
    return;
  }
  item->deadline = environment_.clock.steady_now() + limits_.time;
  bytes_ += item->bytes;
  waiting_.push_back(std::move(item));
}

bool OptionalQueue::store(const std::shared_ptr<Item>& item, const Post& post) {
  auto put = channel_.channel->reserve(*item->batch);
  if (!put.ok()) {
    if (put.status().code() == Code::full) return false;
    drop(*item, put.status().message());
    return true;
  }
  item->put = std::move(*put);
  Receipt receipt = item->put->store(item->batch);
  storing_.push_back(item);
  if (receipt.ready()) {
    item->result = receipt.wait();
    publish_stored();
    return true;
  }
  std::move(receipt).then_inline([this, item, post](const Status& status) {
    post([this, item, status] {
      item->result = status;
      publish_stored();
    });
  });
  return true;
}

void OptionalQueue::publish_stored() {
  while (!storing_.empty() && storing_.front()->result.has_value()) {
    Item& item = *storing_.front();
    if (item.result->ok()) {
      item.put->publish();
    } else {
      drop(item, item.result->to_string());
    }
    storing_.pop_front();
  }
}

void OptionalQueue::advance(const Post& post) {
  const Clock::Steady now = environment_.clock.steady_now();
  while (!waiting_.empty()) {
    const std::shared_ptr<Item> item = waiting_.front();
    if (!store(item, post)) {
      if (now < item->deadline) return;
      drop(*item, "it stayed full");
    }
    bytes_ -= item->bytes;
    waiting_.pop_front();
  }
}

std::optional<Clock::Steady> OptionalQueue::deadline() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front()->deadline;
}

void OptionalQueue::drop_all() {
  for (const auto& item : waiting_) drop(*item, "the source stopped");
  waiting_.clear();
  bytes_ = 0;
}

void OptionalQueue::drop(const Item& item, std::string_view why) {
  dropped_.add(static_cast<std::int64_t>(item.batch->size()));
  const auto held = log_limit_.pass(environment_.clock.now_ms());
  if (!held.has_value()) return;
  environment_.log.warn(fmt::format("dropped {} events for optional channel {}: {} ({} such messages held back)",
                                    item.batch->size(), channel_.name, why, *held));
}

}  // namespace standpipe
