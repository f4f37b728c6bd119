#include "engine/flow/interval_deltas.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_format.h"
#include "rings/prefetch.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {
namespace {

constexpr uint32_t kMost = 1u << 28;

size_t AddressBytes(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? 4 : family == AddressFamily::kIpv6 ? 16 : 6;
}

std::array<uint8_t, 16> Widen(AddressFamily family, const uint8_t* address) {
  std::array<uint8_t, 16> wide{};
  std::memcpy(wide.data(), address, AddressBytes(family));
  return wide;
}

}  // namespace

uint32_t IntervalDeltas::PlacesFor(const DeltaOptions& options) {
  return options.by == CountBy::kIp ? std::bit_ceil(std::max(options.addresses, 1u) * 2) : 0;
}

size_t IntervalDeltas::MemoryBytes(const DeltaOptions& options) {
  const size_t flows = options.flows;
  return Arena::Bytes<FlowDelta>(flows) + Arena::Bytes<FlowAddresses>(flows) +
         (options.by == CountBy::kFlow ? Arena::Bytes<TunnelPath>(flows) : 0) +
         Arena::Bytes<AddressDelta>(PlacesFor(options));
}

absl::StatusOr<std::unique_ptr<IntervalDeltas>> IntervalDeltas::Create(
    const DeltaOptions& options) {
  if (options.flows == 0 || options.flows > kMost || options.addresses > kMost) {
    return absl::InvalidArgumentError(
        absl::StrFormat("an interval's table of %u flows and %u addresses: give 1 to %u flows, 0 "
                        "to %u addresses",
                        options.flows, options.addresses, kMost, kMost));
  }
  auto arena =
      Arena::Create(MemoryBytes(options), "the interval's counters", "lower --counters-max");
  if (!arena.ok()) return arena.status();
  return std::unique_ptr<IntervalDeltas>(new IntervalDeltas(options, *std::move(arena)));
}

IntervalDeltas::IntervalDeltas(const DeltaOptions& options, Arena arena)
    : by_(options.by),
      capacity_(options.flows),
      address_capacity_(options.by == CountBy::kIp ? options.addresses : 0),
      place_count_(PlacesFor(options)),
      seed_(options.seed),
      arena_(std::move(arena)),
      flows_(arena_.Take<FlowDelta>(options.flows)),
      addresses_(arena_.Take<FlowAddresses>(options.flows)) {
  if (by_ == CountBy::kFlow) tunnels_ = arena_.Take<TunnelPath>(options.flows);
  if (by_ == CountBy::kIp) places_ = arena_.Take<AddressDelta>(place_count_);
}

FlowDelta* IntervalDeltas::Append(uint32_t* place) {
  if (count_ == capacity_) return nullptr;
  *place = count_;
  FlowDelta& delta = flows_[count_++];
  if (count_ + kAppendAhead < capacity_) PrefetchToWrite(&flows_[count_ + kAppendAhead]);
  std::memset(delta.packets, 0, sizeof delta.packets);
  std::memset(delta.bytes, 0, sizeof delta.bytes);
  return &delta;
}

uint32_t IntervalDeltas::HomeOf(const std::array<uint8_t, 16>& address) const {
  const uint64_t hash = XXH3_64bits_withSeed(address.data(), address.size(), seed_);
  return static_cast<uint32_t>(hash) & (place_count_ - 1);
}

void IntervalDeltas::PrefetchAddress(AddressFamily family, const uint8_t* address) const {
  PrefetchToWrite(&places_[HomeOf(Widen(family, address))]);
}

void IntervalDeltas::CountAddresses(AddressFamily family, const uint8_t* source,
                                    const uint8_t* destination, uint32_t packets, uint64_t bytes) {
  CountAddress(family, source, 0, packets, bytes);
  CountAddress(family, destination, 1, packets, bytes);
}

void IntervalDeltas::CountAddress(AddressFamily family, const uint8_t* address, size_t way,
                                  uint32_t packets, uint64_t bytes) {
  const std::array<uint8_t, 16> wide = Widen(family, address);
  uint32_t home = HomeOf(wide);
  while (places_[home].family != AddressFamily::kNone &&
         (places_[home].family != family || places_[home].address != wide)) {
    home = (home + 1) & (place_count_ - 1);
  }
  TrafficCounts* counts = &places_[home].counts;
  if (places_[home].family == AddressFamily::kNone) {
    if (address_count_ == address_capacity_) {
      counts = &other_;
    } else {
      ++address_count_;
      places_[home].address = wide;
      places_[home].family = family;
    }
  }
  counts->packets[way] += packets;
  counts->bytes[way] += bytes;
}

void IntervalDeltas::Clear() {
  count_ = 0;
  other_ = {};
  if (address_count_ == 0) return;
  std::fill_n(places_, place_count_, AddressDelta{});
  address_count_ = 0;
}

}  // namespace weir
