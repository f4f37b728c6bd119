// The pools behind the Defragmenter: incomplete datagrams, found by key, ordered by age, and the
// pages that hold their bytes.
//
// Memory is taken at construction. Thread: the shard's own.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/packet/fragment_overlap.h"
#include "engine/packet/fragment_shares.h"
#include "engine/packet/packet.h"

namespace weir {

// What the fragments of one datagram have in common: RFC 791 section 3.2, RFC 8200 section 4.5, and
// the tunnel identity, since equal addresses in two VLANs are two hosts.
struct DatagramKey {
  uint32_t id = 0;
  uint16_t path_length = 0;
  AddressFamily family = AddressFamily::kNone;
  uint8_t protocol = 0;  // IPv4 only
  std::array<uint8_t, 32> addresses{};
  std::array<uint8_t, TunnelPath::kCapacity> path;  // path_length bytes are valid

  size_t size() const { return offsetof(DatagramKey, path) + path_length; }
  bool operator==(const DatagramKey& other) const {
    return path_length == other.path_length && std::memcmp(this, &other, size()) == 0;
  }
};

// An incomplete datagram. Its bytes lie in pages by their place, and one bit says of each unit of 8
// bytes, the unit of fragment offsets, whether it is there: order and number of pieces do not
// matter to the cost.
struct Datagram {
  static constexpr uint32_t kUnit = 8;
  static constexpr uint32_t kPageBytes = 512;  // 64 units: one word of bits
  static constexpr uint32_t kPages = 65536 / kPageBytes;
  static constexpr uint32_t kNone = UINT32_MAX;

  DatagramKey key;
  int64_t first_ns = 0;
  uint32_t fragments = 0;   // frames
  uint32_t wire_bytes = 0;  // their wire lengths
  uint32_t end = 0;         // behind the last byte that was seen
  uint32_t total = 0;       // once the last fragment is there; 0 = unknown
  uint32_t units = 0;       // that are there
  uint32_t pages = 0;       // that it holds
  uint8_t protocol = 0;     // as the first fragment says
  bool refused = false;     // RFC 5722: holds no bytes, and takes none until it is too old
  uint32_t next_in_bucket = kNone;
  uint32_t older = kNone;
  uint32_t newer = kNone;
  std::array<uint32_t, kPages> page;  // valid where `have` has bits
  std::array<uint64_t, kPages> have;

  bool complete() const { return total != 0 && units == (total + kUnit - 1) / kUnit; }
};

class FragmentStore {
 public:
  FragmentStore(uint32_t max_datagrams, uint32_t max_bytes, OverlapPolicy policy);

  // The datagram with this key; null when there is none.
  Datagram* Find(const DatagramKey& key);

  // A new one, the youngest; null when all are taken.
  Datagram* Add(const DatagramKey& key, int64_t now_ns);

  // Gives up a datagram and its pages.
  void Remove(Datagram& datagram);
  void DropPages(Datagram& datagram);
  // Which datagram is to go when there is no room; null if there is none.
  Datagram* Victim();

  Datagram* oldest() { return oldest_ == Datagram::kNone ? nullptr : &datagrams_[oldest_]; }

  // What a fragment met: nothing, or mere repetition of bytes that were there; bytes that were
  // there beside others that were not; other bytes than those that were there.
  enum class Outcome : uint8_t { kNew, kOverlap, kConflict, kNoMemory };
  // Puts a fragment in its place; the policy decides whose bytes stay. kNoMemory: too few pages
  // were free, and nothing changed.
  Outcome Put(Datagram& datagram, uint32_t offset, const uint8_t* data, uint32_t size);

  // Copies the bytes [0, total) out.
  void CopyTo(const Datagram& datagram, uint8_t* target) const;

  size_t memory_bytes() const;

 private:
  struct Piece;

  void FreePages(Datagram& datagram);
  bool TakePages(Datagram& datagram, FragmentPlace place);
  void Write(Datagram& datagram, const Piece& piece, uint32_t first, uint32_t last);
  bool Differs(const Datagram& datagram, const Piece& piece, uint32_t first, uint32_t last) const;
  FragmentPlace OldAround(const Datagram& datagram, uint32_t unit) const;
  uint32_t EndOfRun(const Datagram& datagram, uint32_t unit, uint32_t limit) const;
  void MarkStart(Datagram& datagram, uint32_t unit);
  uint32_t BucketOf(const DatagramKey& key) const;
  uint32_t IndexOf(const Datagram& datagram) const {
    return static_cast<uint32_t>(&datagram - datagrams_.data());
  }
  size_t UnitIndex(const Datagram& datagram, uint32_t unit) const {
    const uint32_t byte = unit * Datagram::kUnit;
    return size_t{datagram.page[byte / Datagram::kPageBytes]} * Datagram::kPageBytes +
           byte % Datagram::kPageBytes;
  }
  uint8_t* UnitAt(const Datagram& datagram, uint32_t unit) {
    return bytes_.data() + UnitIndex(datagram, unit);
  }
  const uint8_t* UnitAt(const Datagram& datagram, uint32_t unit) const {
    return bytes_.data() + UnitIndex(datagram, unit);
  }

  const OverlapPolicy policy_;
  FragmentShares shares_;
  std::vector<Datagram> datagrams_;
  std::vector<uint32_t> free_datagrams_;
  std::vector<uint32_t> buckets_;
  std::vector<uint8_t> bytes_;
  std::vector<uint32_t> free_pages_;
  // Of each page, the units at which what is left of a fragment starts. It reaches to the next such
  // unit or to the first that is not there: no policy that asks for places cuts one in two.
  std::vector<uint64_t> starts_;
  uint64_t seed_;
  uint32_t oldest_ = Datagram::kNone;
  uint32_t youngest_ = Datagram::kNone;
};

}  // namespace weir
