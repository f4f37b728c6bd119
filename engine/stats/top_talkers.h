// Addresses by the bytes they sent and received, in bounded memory.
//
// Exact while there are at most `capacity` different addresses. Beyond that the smaller half is
// forgotten now and then: what remains may be short by at most `missed_bytes()`, and an address
// that is not there at all had no more than that. Fed once per flow, not per packet. Thread: one.
// Allocates as addresses come.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/packet/packet.h"

namespace weir {

struct Talker {
  AddressFamily family = AddressFamily::kNone;
  std::array<uint8_t, 16> address{};  // the first 4, 6 or 16 bytes, network order
  uint64_t flows = 0;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;

  uint64_t bytes() const { return sent_bytes + received_bytes; }
};

class TopTalkers {
 public:
  explicit TopTalkers(size_t capacity = 65'536) : capacity_(capacity) {}

  // Adds the counts of `more` to those of its address.
  void Add(const Talker& more);

  // The `count` largest by bytes, the largest first.
  std::vector<Talker> Top(size_t count) const;

  size_t addresses() const { return talkers_.size(); }
  uint64_t missed_bytes() const { return missed_bytes_; }

 private:
  struct Address {
    AddressFamily family;
    std::array<uint8_t, 16> bytes;
    bool operator==(const Address&) const = default;
    template <typename H>
    friend H AbslHashValue(H hash, const Address& address) {
      return H::combine(std::move(hash), address.family, address.bytes);
    }
  };

  void ForgetSmallerHalf();

  size_t capacity_;
  uint64_t missed_bytes_ = 0;
  absl::flat_hash_map<Address, Talker> talkers_;
};

}  // namespace weir
