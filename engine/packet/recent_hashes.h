// The last `depth` hashes in the order they came, found by value in O(1), whatever the depth.
//
// A ring of records in order of arrival, and an index of buckets of one cache line: the tags and
// sequence numbers of the seven newest hashes that fell there, newest first. Nothing is ever
// deleted: what is more than `depth` back is forgotten, and what a bucket pushes out before that
// goes to the next one and leaves word. So a hash that is not there costs one line, prefetched; one
// that is there costs its record too.
//
// Records with equal hashes form a chain, newest first. Sequence numbers are modulo 2^32: one that
// has come round may be taken for a new one, and then the record's hash, which is always compared,
// tells. Memory is taken at construction. Thread: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "engine/packet/bucket_match.h"
#include "engine/packet/wide_hash.h"
#include "rings/prefetch.h"

namespace weir {

class RecentHashes {
 public:
  static constexpr uint32_t kGreatestDepth = 1u << 28;

  struct Record {
    Hash128 hash;
    int64_t time = 0;
    uint32_t previous = 0;  // sequence number of the one before in the chain; a dead one = none
    uint32_t lead_ns =
        0;  // how far the greatest time in the chain from here back is ahead of `time`
  };
  static_assert(sizeof(Record) == 32);
  static constexpr uint32_t kUnknownLead = UINT32_MAX;  // more than four seconds: not known

  // `first` moves the first sequence number on: for tests of what happens when they come round.
  explicit RecentHashes(uint32_t depth, uint64_t first = 0);

  void Prefetch(const Hash128& hash) const { PrefetchToWrite(&buckets_[Home(hash)]); }

  // The newest record with this hash; null when none of the last `depth` has it. Valid until Push.
  Record* Find(const Hash128& hash) {
    Bucket& bucket = buckets_[Home(hash)];
    const uint32_t matches = Matches(bucket, Tag(hash));
    if (matches == 0 && !HasSpilled(bucket)) [[likely]] {
      return nullptr;
    }
    return FindSlow(hash);
  }

  // The record before in the chain, null when it is too far back.
  Record* Previous(const Record& record) {
    return Alive(record.previous) ? &ring_[Slot(record.previous)] : nullptr;
  }

  // Appends a record. `newest` is what Find has just said of this hash.
  void Push(const Hash128& hash, int64_t time, const Record* newest) {
    Record& record = ring_[position_];
    if (newest == nullptr) [[likely]] {
      record = Record{hash, time, DeadSequence(), 0};
    } else {
      record = Chained(hash, time, *newest);
    }
    Insert(buckets_[Home(hash)], Tag(hash), static_cast<uint32_t>(next_));
    Advance();
  }

  // Appends a record that nobody will find: it takes its place in the depth only.
  void PushAnonymous(int64_t time) {
    ring_[position_] = Record{{}, time, DeadSequence(), 0};
    Advance();
  }

  // Takes a record out of its chain; it keeps its place in the depth. `newer` is the record behind
  // it in the chain, null when Find has just returned `record` itself.
  void Unlink(const Record& record, Record* newer);

  // Takes the time of the record that is `depth` back and goes with the next Push. False while
  // there is none.
  bool OldestTime(int64_t& time) const {
    if (!full_) return false;
    time = ring_[position_].time;
    return true;
  }

  uint32_t depth() const { return depth_; }
  size_t memory_bytes() const;

 private:
  static constexpr int kEntries = 7;
  static constexpr uint32_t kEntryMask = (1 << kEntries) - 1;

  struct alignas(64) Bucket {
    uint32_t tags[kEntries];
    uint32_t sequences[kEntries];  // modulo 2^32
    uint64_t spilled;              // newest sequence number that was pushed out while it was alive
  };
  static_assert(sizeof(Bucket) == 64);
  struct Unmapper {
    size_t bytes;
    void operator()(void* memory) const;
  };
  template <typename T>
  using Array = std::unique_ptr<T[], Unmapper>;
  template <typename T>
  static Array<T> Map(size_t count);

  size_t Home(const Hash128& hash) const { return hash.low & bucket_mask_; }
  static uint32_t Tag(const Hash128& hash) { return static_cast<uint32_t>(hash.high); }

  // A bit for each entry with this tag. Eight lanes are compared, the last one is no tag.
  static uint32_t Matches(const Bucket& bucket, uint32_t tag) {
    return MatchTags(reinterpret_cast<const uint32_t*>(&bucket), tag) & kEntryMask;
  }
  bool HasSpilled(const Bucket& bucket) const { return next_ - bucket.spilled - 1 < depth_; }

  // How far back a sequence number is: 1..depth are alive.
  uint32_t Age(uint32_t sequence) const { return static_cast<uint32_t>(next_) - sequence; }
  bool Alive(uint32_t sequence) const { return Age(sequence) - 1 < depth_; }
  uint32_t DeadSequence() const { return static_cast<uint32_t>(next_) - depth_ - 1; }
  size_t Slot(uint32_t sequence) const {
    const uint32_t age = Age(sequence);
    return position_ >= age ? position_ - age : position_ + depth_ - age;
  }
  void Advance() {
    ++next_;
    if (++position_ == depth_) {
      position_ = 0;
      full_ = true;
    }
  }

  // To the front; what falls out at the back is dead but for crowded buckets.
  void Insert(Bucket& bucket, uint32_t tag, uint32_t sequence) {
    const uint32_t last_tag = bucket.tags[kEntries - 1];
    const uint32_t last_sequence = bucket.sequences[kEntries - 1];
    std::memmove(bucket.tags + 1, bucket.tags, (kEntries - 1) * sizeof(uint32_t));
    std::memmove(bucket.sequences + 1, bucket.sequences, (kEntries - 1) * sizeof(uint32_t));
    bucket.tags[0] = tag;
    bucket.sequences[0] = sequence;
    if (Alive(last_sequence)) [[unlikely]] {
      Spill(bucket, last_tag, last_sequence);
    }
  }

  Record* FindSlow(const Hash128& hash);
  Record Chained(const Hash128& hash, int64_t time, const Record& newest);
  void Spill(Bucket& bucket, uint32_t tag, uint32_t sequence);

  uint32_t depth_;
  size_t bucket_mask_;
  uint64_t next_;              // sequence number of the next record
  bool full_ = false;          // `depth` records have come
  size_t position_ = 0;        // of the next record in the ring
  uint32_t* found_ = nullptr;  // index entry of what Find returned: its sequence number
  Array<Record> ring_;
  Array<Bucket> buckets_;
};

}  // namespace weir
