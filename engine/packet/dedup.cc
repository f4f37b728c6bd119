#include "engine/packet/dedup.h"

#include <algorithm>

#include "engine/packet/frame_content.h"
#include "engine/packet/recent_hashes.h"

namespace weir {
namespace {

// Equal frames that one frame is compared with when time goes backwards, or when many equal ones
// wait for their copy. Where time goes forward, the first one decides.
constexpr int kMostEqualFrames = 1024;

uint64_t Distance(int64_t a, int64_t b) {
  return a >= b ? static_cast<uint64_t>(a) - static_cast<uint64_t>(b)
                : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
}

bool WasReceived(FrameDirection direction) {
  return direction == FrameDirection::kHost || direction == FrameDirection::kBroadcast ||
         direction == FrameDirection::kMulticast || direction == FrameDirection::kOtherHost;
}

}  // namespace

class Dedup::Impl {
 public:
  explicit Impl(const DedupOptions& options)
      : options_(options),
        window_ns_(options.window_ns > 0 ? static_cast<uint64_t>(options.window_ns) : UINT64_MAX),
        content_(options.seed, options.ignore, options.mode == DedupMode::kLoopback),
        recent_(options.mode == DedupMode::kOff ? 1 : options.depth) {}

  void Apply(std::span<const Frame> frames, std::span<Packet> packets) {
    for (size_t start = 0; start < frames.size(); start += kBatchFrames) {
      const size_t count = std::min<size_t>(kBatchFrames, frames.size() - start);
      ApplySome(frames.subspan(start, count), packets.subspan(start, count));
    }
  }

  bool IsDuplicate(const Frame& frame) {
    Packet packet;
    Apply({&frame, 1}, {&packet, 1});
    return packet.verdict == Verdict::kDuplicate;
  }

  const DedupCounters& counters() const { return counters_; }
  size_t memory_bytes() const { return sizeof *this + recent_.memory_bytes(); }

 private:
  // Of one batch; the compiler keeps them in registers.
  struct Counts {
    uint64_t duplicates = 0;
    uint64_t depth_exceeded = 0;
    int64_t covered_ns = -1;
    int64_t least_covered_ns = INT64_MAX;
  };

  // First all hashes, each asking for its line of the index, then the look-ups.
  void ApplySome(std::span<const Frame> frames, std::span<Packet> packets) {
    int count = 0;
    for (size_t i = 0; i < frames.size(); ++i) {
      if (packets[i].verdict == Verdict::kFiltered) continue;
      const Hash128 hash = content_.Hash(frames[i], packets[i]);
      recent_.Prefetch(hash);
      looked_at_[count++] = {hash, static_cast<uint32_t>(i)};
    }
    switch (options_.mode) {
      case DedupMode::kOff:
        break;
      case DedupMode::kContent:
        Look(count, frames, packets,
             [this](const Frame& frame, const Hash128& hash, Counts& counts) {
               return IsContentDuplicate(frame, hash, counts);
             });
        break;
      case DedupMode::kLoopback:
        Look(count, frames, packets,
             [this](const Frame& frame, const Hash128& hash, Counts& counts) {
               return IsLoopbackDuplicate(frame, hash, counts);
             });
        break;
    }
  }

  template <typename Judge>
  void Look(int count, std::span<const Frame> frames, std::span<Packet> packets,
            const Judge& is_duplicate) {
    Counts counts;
    for (int i = 0; i < count; ++i) {
      const LookedAt& one = looked_at_[i];
      if (!is_duplicate(frames[one.index], one.hash, counts)) continue;
      packets[one.index].verdict = Verdict::kDuplicate;
      ++counts.duplicates;
    }
    Publish(counts, count);
  }

  void Publish(const Counts& counts, int seen) {
    counters_.seen += static_cast<uint64_t>(seen);
    counters_.duplicates += counts.duplicates;
    counters_.depth_exceeded += counts.depth_exceeded;
    if (counts.covered_ns < 0) return;
    counters_.covered_window_ns = counts.covered_ns;
    const int64_t least = std::max<int64_t>(counts.least_covered_ns, 1);  // 0 means "never filled"
    int64_t& least_so_far = counters_.least_covered_window_ns;
    least_so_far = least_so_far == 0 ? least : std::min(least_so_far, least);
  }

  bool IsContentDuplicate(const Frame& frame, const Hash128& hash, Counts& counts) {
    RecentHashes::Record* const newest = recent_.Find(hash);
    const bool duplicate = newest != nullptr && AnyInWindow(newest, frame.timestamp_ns);
    if (duplicate && !options_.refresh) return true;
    NoteCoveredWindow(frame.timestamp_ns, counts);
    recent_.Push(hash, frame.timestamp_ns, newest);
    return duplicate;
  }

  bool IsLoopbackDuplicate(const Frame& frame, const Hash128& hash, Counts& counts) {
    if (WasReceived(frame.direction) && PairWithOldest(frame, hash)) return true;
    NoteCoveredWindow(frame.timestamp_ns, counts);
    if (frame.direction == FrameDirection::kOutgoing) {
      recent_.Push(hash, frame.timestamp_ns, recent_.Find(hash));
    } else {
      recent_.PushAnonymous(frame.timestamp_ns);
    }
    return false;
  }

  // True when all records from `record` back are older than the window.
  bool IsBehind(const RecentHashes::Record& record, int64_t time) const {
    return record.lead_ns != RecentHashes::kUnknownLead && time > record.time &&
           Distance(time, record.time) > record.lead_ns &&
           Distance(time, record.time) - record.lead_ns > window_ns_;
  }

  bool AnyInWindow(RecentHashes::Record* record, int64_t time) {
    for (int i = 0; record != nullptr && i < kMostEqualFrames; ++i) {
      if (Distance(time, record->time) <= window_ns_) return true;
      if (IsBehind(*record, time)) return false;
      record = recent_.Previous(*record);
    }
    return false;
  }

  // The copy belongs to the first of the equal frames that still wait for theirs.
  bool PairWithOldest(const Frame& frame, const Hash128& hash) {
    RecentHashes::Record *oldest = nullptr, *behind_oldest = nullptr, *behind = nullptr;
    RecentHashes::Record* record = recent_.Find(hash);
    for (int i = 0; record != nullptr && i < kMostEqualFrames; ++i) {
      if (Distance(frame.timestamp_ns, record->time) <= window_ns_) {
        oldest = record;
        behind_oldest = behind;
      }
      if (IsBehind(*record, frame.timestamp_ns)) break;
      behind = record;
      record = recent_.Previous(*record);
    }
    if (oldest == nullptr) return false;
    recent_.Unlink(*oldest, behind_oldest);
    return true;
  }

  void NoteCoveredWindow(int64_t time, Counts& counts) {
    int64_t oldest = 0;
    if (!recent_.OldestTime(oldest)) return;
    const uint64_t covered = time > oldest ? Distance(time, oldest) : 0;
    counts.covered_ns = static_cast<int64_t>(std::min<uint64_t>(covered, INT64_MAX));
    counts.least_covered_ns = std::min(counts.least_covered_ns, counts.covered_ns);
    counts.depth_exceeded += counts.covered_ns < options_.window_ns;
  }

  const DedupOptions options_;
  const uint64_t window_ns_;  // UINT64_MAX = no limit
  FrameContent content_;
  RecentHashes recent_;
  DedupCounters counters_;
  struct LookedAt {
    Hash128 hash;
    uint32_t index;  // in the batch
  };
  LookedAt looked_at_[kBatchFrames];
};

Dedup::Dedup(const DedupOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Dedup::~Dedup() = default;

void Dedup::Apply(std::span<const Frame> frames, std::span<Packet> packets) {
  impl_->Apply(frames, packets);
}
bool Dedup::IsDuplicate(const Frame& frame) { return impl_->IsDuplicate(frame); }
const DedupCounters& Dedup::counters() const { return impl_->counters(); }
size_t Dedup::memory_bytes() const { return impl_->memory_bytes(); }

}  // namespace weir
