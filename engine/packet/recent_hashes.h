// The last `depth` hashes in the order they came, found by value in O(1), whatever the depth.
//
// A ring of records in order of arrival, and an index of buckets of one cache line: seven entries
// (24 bits of the hash, 40 of the sequence number) and the newest sequence number that had to go to
// the next bucket. Nothing is ever deleted: an entry whose record is more than `depth` back is
// free. So a hash that is not there costs one line, prefetched; one that is there costs its record
// as well.
//
// Records with equal hashes form a chain, newest first. Memory is taken at construction. Thread:
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/packet/wide_hash.h"

namespace weir {

class RecentHashes {
 public:
  static constexpr uint32_t kGreatestDepth = 1u << 28;

  struct Record {
    Hash128 hash;
    int64_t time = 0;
    int64_t latest = 0;     // greatest time of this record and those before it in its chain
    uint64_t previous = 0;  // in the chain; 0 = none
  };

  explicit RecentHashes(uint32_t depth);

  void Prefetch(const Hash128& hash) const { __builtin_prefetch(&buckets_[Home(hash)], 1); }

  // The newest record with this hash; null when none of the last `depth` has it. Valid until Push.
  // The lines touched here are the ones that Push and Unlink touch.
  Record* Find(const Hash128& hash);

  // The record before in the chain, null when it is too far back.
  Record* Previous(const Record& record) {
    return Alive(record.previous) ? &ring_[Slot(record.previous)] : nullptr;
  }

  // Appends a record. `newest` is what Find said of this hash just now.
  void Push(const Hash128& hash, int64_t time, const Record* newest);

  // Appends a record that nobody will find: it takes its place in the depth only.
  void PushAnonymous(int64_t time);

  // Takes a record out of its chain; it keeps its place in the depth. `newer` is the record behind
  // it in the chain, null when Find just returned `record` itself.
  void Unlink(const Record& record, Record* newer);

  // The record that is `depth` back and goes with the next Push; null while fewer have come.
  const Record* Oldest() const { return next_ > depth_ ? &ring_[position_] : nullptr; }

  uint32_t depth() const { return depth_; }
  size_t memory_bytes() const;

 private:
  static constexpr int kEntries = 7;
  static constexpr int kSequenceBits = 40;
  static constexpr uint64_t kSequenceMask = (uint64_t{1} << kSequenceBits) - 1;

  struct alignas(64) Bucket {
    uint64_t entries[kEntries];  // tag << 40 | sequence; 0 = never used
    uint64_t spilled;            // newest sequence that found no room here; 0 = none
  };
  struct Unmapper {
    size_t bytes;
    void operator()(void* memory) const;
  };

  size_t Home(const Hash128& hash) const { return hash.low & bucket_mask_; }
  static uint64_t Tag(const Hash128& hash) { return hash.high >> kSequenceBits; }

  // How far back a sequence number is, modulo 2^40; alive are 1..depth. One that has come round
  // once is taken for alive, and then its record's hash does not match.
  uint64_t Age(uint64_t sequence) const { return (next_ - sequence) & kSequenceMask; }
  bool Alive(uint64_t sequence) const { return sequence != 0 && Age(sequence) - 1 < depth_; }
  size_t Slot(uint64_t sequence) const {
    const uint64_t age = Age(sequence);
    return position_ >= age ? position_ - age : position_ + depth_ - age;
  }
  void Insert(const Hash128& hash);
  void Advance() {
    ++next_;
    if (++position_ == depth_) position_ = 0;
  }

  template <typename T>
  using Array = std::unique_ptr<T[], Unmapper>;
  template <typename T>
  static Array<T> Map(size_t count);

  uint32_t depth_;
  size_t bucket_mask_;
  uint64_t next_ = 1;          // sequence number of the next record
  size_t position_ = 0;        // its place in the ring
  uint64_t* found_ = nullptr;  // index entry of what Find returned
  bool found_at_home_ = false;
  Array<Record> ring_;
  Array<Bucket> buckets_;
};

}  // namespace weir
