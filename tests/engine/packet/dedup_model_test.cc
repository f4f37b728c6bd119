// Dedup beside a slow, obvious model: a list of all frames that entered.
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "engine/packet/dedup.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

class Model {
 public:
  explicit Model(const DedupOptions& options) : options_(options) {}

  bool IsDuplicate(const std::string& bytes, int64_t time, FrameDirection direction) {
    Entry* copy_of = nullptr;
    for (Entry& entry : entries_) {
      const int64_t distance = time > entry.time ? time - entry.time : entry.time - time;
      if (entry.bytes != bytes) continue;
      if (options_.window_ns != 0 && distance > options_.window_ns) continue;
      if (options_.mode == DedupMode::kLoopback &&
          (entry.paired || entry.direction != FrameDirection::kOutgoing ||
           direction != FrameDirection::kHost)) {
        continue;
      }
      copy_of = &entry;
      break;
    }
    const bool loopback = options_.mode == DedupMode::kLoopback;
    if (copy_of != nullptr && loopback) copy_of->paired = true;
    if (copy_of == nullptr || (options_.refresh && !loopback)) {
      entries_.push_back({bytes, time, direction, false});
      if (entries_.size() > options_.depth) entries_.pop_front();
    }
    return copy_of != nullptr;
  }

 private:
  struct Entry {
    std::string bytes;
    int64_t time;
    FrameDirection direction;
    bool paired;
  };

  DedupOptions options_;
  std::deque<Entry> entries_;
};

struct Traffic {
  DedupOptions options;
  int alphabet;
  int64_t step;         // greatest step forward
  int backwards_every;  // one step in so many goes back; 0 = none
};

// Runs `frames` random frames through both, in batches of random sizes.
void Compare(const Traffic& traffic, int frames, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  Dedup dedup(traffic.options);
  Model model(traffic.options);
  constexpr FrameDirection kDirections[] = {FrameDirection::kOutgoing, FrameDirection::kHost,
                                            FrameDirection::kUnknown};
  int64_t time = 1'000'000;
  int duplicates = 0;
  for (int done = 0; done < frames;) {
    std::vector<std::string> bytes(static_cast<size_t>(1 + below(kBatchFrames)));
    std::vector<Frame> batch(bytes.size());
    std::vector<Packet> packets(bytes.size());
    std::vector<bool> wanted(bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      const int64_t symbol = below(traffic.alphabet);
      bytes[i] = std::string(static_cast<size_t>(60 + symbol % 3), static_cast<char>(symbol));
      bytes[i][0] = static_cast<char>(symbol >> 8);
      const bool back = traffic.backwards_every != 0 && below(traffic.backwards_every) == 0;
      time += back ? -below(3 * traffic.step) : below(traffic.step + 1);
      batch[i].data = reinterpret_cast<const uint8_t*>(bytes[i].data());
      batch[i].captured_length = batch[i].wire_length = static_cast<uint32_t>(bytes[i].size());
      batch[i].timestamp_ns = time;
      batch[i].direction = kDirections[below(below(8) == 0 ? 3 : 2)];
      if (below(16) == 0) {
        packets[i].verdict = Verdict::kFiltered;
      } else {
        wanted[i] = model.IsDuplicate(bytes[i], time, batch[i].direction);
        duplicates += wanted[i];
      }
    }
    dedup.Apply(batch, packets);
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (packets[i].verdict == Verdict::kFiltered) continue;
      ASSERT_EQ(packets[i].verdict == Verdict::kDuplicate, wanted[i])
          << "frame " << done + static_cast<int>(i) << " depth " << traffic.options.depth
          << " window " << traffic.options.window_ns << " alphabet " << traffic.alphabet << " seed "
          << seed;
    }
    done += static_cast<int>(bytes.size());
  }
  EXPECT_GT(duplicates, 0);
  EXPECT_EQ(dedup.counters().duplicates, static_cast<uint64_t>(duplicates));
}

void CompareMany(DedupMode mode, bool refresh) {
  uint64_t seed = 1;
  for (uint32_t depth : {1u, 2u, 3u, 7u, 64u, 255u, 256u, 1000u}) {
    for (int64_t window : {0, 1, 10, 1000}) {
      for (int alphabet : {2, 5, 300}) {
        for (int backwards_every : {0, 3, 50}) {
          // Steps for which the window's edge is often hit exactly.
          Traffic traffic{
              {.mode = mode, .window_ns = window, .depth = depth, .refresh = refresh, .seed = seed},
              alphabet,
              window / 4 + 1,
              backwards_every};
          if (depth * 2 < static_cast<uint32_t>(alphabet)) continue;
          Compare(traffic, 1500, seed++);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(DedupModel, Content) { CompareMany(DedupMode::kContent, false); }
TEST(DedupModel, ContentWithRefresh) { CompareMany(DedupMode::kContent, true); }
TEST(DedupModel, Loopback) { CompareMany(DedupMode::kLoopback, false); }

}  // namespace
}  // namespace weir
