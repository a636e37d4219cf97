#include "codec/lines/line_splitter.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace standpipe {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for_each_line(text, [&](std::size_t begin, std::size_t end) {
    lines.emplace_back(text.substr(begin, end - begin));
    return true;
  });
  return lines;
}

std::vector<std::string> bodies(const Batch& batch) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < batch.size(); ++i) result.emplace_back(batch[i].body);
  return result;
}

// Feeds `text` in pieces of `piece` bytes and returns all events.
std::vector<std::string> split_stream(std::string_view text, std::size_t piece, LineOptions options,
                                      std::size_t slab = 16, std::size_t max_events = 3) {
  LineSplitter splitter(options, nullptr, slab);
  std::vector<std::string> result;
  const auto drain = [&] {
    for (;;) {
      Batch batch;
      const std::size_t taken = splitter.take(batch, Batch::kNoHeaders, max_events);
      for (std::string& body : bodies(batch)) result.push_back(std::move(body));
      if (taken < max_events) return;
    }
  };
  while (!text.empty()) {
    const std::span<char> room = splitter.space();
    const std::size_t size = std::min({room.size(), piece, text.size()});
    std::memcpy(room.data(), text.data(), size);
    splitter.added(size);
    text.remove_prefix(size);
    drain();
  }
  Batch last;
  splitter.finish(last, Batch::kNoHeaders);
  for (std::string& body : bodies(last)) result.push_back(std::move(body));
  return result;
}

using Lines = std::vector<std::string>;

TEST(ForEachLine, FindsEveryFeedWhereverItLies) {
  for (std::size_t feed = 0; feed < 200; ++feed) {
    std::string text(200, 'x');
    text[feed] = '\n';
    EXPECT_EQ(lines_of(text), Lines{std::string(feed, 'x')}) << feed;
  }
  EXPECT_EQ(lines_of(std::string(130, '\n')).size(), 130u);
  EXPECT_TRUE(lines_of("no feed").empty());
}

TEST(ForEachLine, StopsWhenToldAndSaysWhere) {
  const std::string text = "a\nbb\n" + std::string(100, 'c') + "\nd\n";
  int seen = 0;
  EXPECT_EQ(for_each_line(text, [&](std::size_t, std::size_t) { return ++seen < 2; }), 5u);
  EXPECT_EQ(for_each_line(text, [&](std::size_t, std::size_t) { return true; }), text.size());
}

TEST(LineSplitter, LinesSurviveAnyPartition) {
  std::mt19937 random(7);
  std::string text;
  Lines expected;
  for (int i = 0; i < 300; ++i) {
    expected.emplace_back(random() % 40, static_cast<char>('a' + i % 26));
    text += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 16u, 33u, 1000u}) {
    EXPECT_EQ(split_stream(text, piece, {}), expected) << piece;
  }
}

TEST(LineSplitter, KeepsCarriageReturnsInsideALineAndWhereAsked) {
  EXPECT_EQ(split_stream("a\rb\r\r\nc\r", 1, {}), (Lines{"a\rb\r", "c"}));
  EXPECT_EQ(split_stream("a\r\nb\n", 1, {.strip_carriage_return = false}), (Lines{"a\r", "b"}));
}

TEST(LineSplitter, SplitsOrTruncatesALongLineHoweverItArrives) {
  const std::string text = "1234567890abc\nok\n12345\r\n";
  for (const std::size_t piece : {1u, 4u, 100u}) {
    EXPECT_EQ(split_stream(text, piece, {.max_length = 5}), (Lines{"12345", "67890", "abc", "ok", "12345"})) << piece;
    EXPECT_EQ(split_stream(text, piece, {.max_length = 5, .overlong = LineOptions::Overlong::truncate}),
              (Lines{"12345", "ok", "12345"}))
        << piece;
  }
  // A line of exactly the limit is one event: no empty one behind it.
  EXPECT_EQ(split_stream("12345\n\nx", 1, {.max_length = 5}), (Lines{"12345", "", "x"}));
}

TEST(LineSplitter, BodiesAreSlicesAndOnlyTheTailIsCopied) {
  LineSplitter splitter({}, nullptr, 64);
  const std::span<char> room = splitter.space();
  std::memcpy(room.data(), "one\ntwo\nthr", 11);
  splitter.added(11);
  Batch batch;
  EXPECT_EQ(splitter.take(batch, Batch::kNoHeaders, 100), 2u);
  EXPECT_EQ(batch[0].body.data(), room.data());
  EXPECT_EQ(batch[1].body.data(), room.data() + 4);
  EXPECT_EQ(splitter.pending(), 3u);
}

TEST(LineSplitter, MemoryIsBoundedByTheLimit) {
  MemoryBudget budget(1 << 20);
  LineSplitter splitter({.max_length = 100}, &budget, 64);
  for (int i = 0; i < 1000; ++i) {
    const std::span<char> room = splitter.space();
    std::memset(room.data(), 'x', room.size());
    splitter.added(room.size());
    Batch batch;
    splitter.take(batch, Batch::kNoHeaders, 1000);
    EXPECT_LE(budget.used(), 1024u);
  }
  EXPECT_EQ(splitter.overlong_lines(), 1u);
}

}  // namespace
}  // namespace standpipe
