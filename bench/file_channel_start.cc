// How a file channel starts with events waiting: file_channel_start FOLDER EVENTS BATCH. One process puts the events
// and is killed, another starts on what it left and takes everything. Prints times, rates and the second one's peak
// memory.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <string>

#include "channels/file/file_channel.h"
#include "support/test_environment.h"

using namespace standpipe;

namespace {

constexpr std::size_t kBody = 500;
constexpr std::size_t kOutstanding = 2000;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::unique_ptr<Channel> make(testing::TestEnvironment& world, const std::string& folder) {
  const Settings::Map values = {{"checkpointDir", folder + "/checkpoint"},
                                {"dataDirs", folder + "/data"},
                                {"capacity", "2000000000"},
                                {"transactionCapacity", "10000"}};
  return kFileChannel.create(Settings::parse(*kFileChannel.info, values).value(), world.environment).value();
}

long peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

void must(const Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.to_string().c_str());
  std::_Exit(1);
}

[[noreturn]] void fill(const std::string& folder, std::size_t events, std::size_t batch_size) {
  testing::TestEnvironment world("c1");
  auto channel = make(world, folder);
  must(channel->start(), "start");
  Batch made;
  const auto slab = Slab::make(batch_size * kBody);
  std::memset(slab->data(), 'x', batch_size * kBody);
  made.pin(slab);
  for (std::size_t i = 0; i < batch_size; ++i) made.add({slab->data() + i * kBody, kBody});
  const auto batch = std::make_shared<const Batch>(std::move(made));
  struct Open {
    std::unique_ptr<Put> put;
    Receipt receipt;
  };
  std::deque<Open> open;
  const double begin = now();
  const auto finish_oldest = [&] {
    must(open.front().receipt.wait(), "store");
    open.front().put->publish();
    open.pop_front();
  };
  for (std::size_t done = 0; done < events; done += batch_size) {
    auto put = channel->reserve(*batch);
    must(put.status(), "reserve");
    Receipt receipt = (*put)->store(batch);
    open.push_back({std::move(*put), std::move(receipt)});
    if (open.size() * batch_size > kOutstanding) finish_oldest();
  }
  while (!open.empty()) finish_oldest();
  const double seconds = now() - begin;
  std::printf("put %zu events in batches of %zu: %.1f s, %.0f a second, %lld syncs, peak memory %ld KiB\n", events,
              batch_size, seconds, static_cast<double>(events) / seconds,
              static_cast<long long>(world.count("SyncCount")), peak_kib());
  std::fflush(stdout);
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

void start_and_drain(const std::string& folder) {
  testing::TestEnvironment world("c1");
  const long before = peak_kib();
  auto channel = make(world, folder);
  const double begin = now();
  must(channel->start(), "start");
  const double started = now();
  const auto waiting = channel->size();
  auto first = channel->take(100);
  must(first.status(), "take");
  const double first_event = now();
  std::printf(
      "%lld events wait: started after %.3f s, first event after %.3f s, peak memory %ld KiB (%ld KiB before)\n",
      static_cast<long long>(waiting), started - begin, first_event - begin, peak_kib(), before);
  std::int64_t taken = static_cast<std::int64_t>(first->size());
  must(first->commit(), "commit");
  for (;;) {
    Lease lease = channel->take(1000).value();
    if (lease.empty()) break;
    taken += static_cast<std::int64_t>(lease.size());
    must(lease.commit(), "commit");
  }
  const double seconds = now() - first_event;
  std::printf("drained %lld in %.1f s, %.0f a second, peak memory %ld KiB\n", static_cast<long long>(taken), seconds,
              static_cast<double>(taken) / seconds, peak_kib());
  channel->stop();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "file_channel_start FOLDER EVENTS BATCH\n");
    return 2;
  }
  const std::string folder = arguments[1];
  const auto events = static_cast<std::size_t>(std::atoll(arguments[2]));
  const auto batch = static_cast<std::size_t>(std::atoll(arguments[3]));
  if (events > 0) {
    const pid_t child = ::fork();
    if (child == 0) fill(folder, events, batch);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) return 1;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    start_and_drain(folder);
    std::fflush(stdout);
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}
