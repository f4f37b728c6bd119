#include "engine/packet/defragmenter.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "engine/packet/fragment_store.h"

namespace weir {
namespace {

// Of what can be told in 16 bits: RFC 791 section 3.1, the header is in it; RFC 8200 section 3, it
// is not.
constexpr uint32_t kMaxPayload4 = 65'535 - 20, kMaxPayload6 = 65'535;
// Each frame of a batch may complete the largest datagram. Pages that none needs are never touched.
constexpr size_t kCompletedBytes = size_t{kBatchFrames} * 65'536;
constexpr int kMaxNesting = 4;  // fragments of fragments

DatagramKey KeyOf(const Packet& packet) {
  DatagramKey key;
  const bool ipv4 = packet.family == AddressFamily::kIpv4;
  const size_t size = ipv4 ? 4 : 16;
  key.id = packet.fragment_id;
  key.family = packet.family;
  key.protocol = ipv4 ? packet.protocol : 0;
  std::memcpy(key.addresses.data(), packet.source, size);
  std::memcpy(key.addresses.data() + size, packet.destination, size);
  if (packet.tunnel != nullptr) {
    key.path_length = packet.tunnel->length;
    std::memcpy(key.path.data(), packet.tunnel->bytes, key.path_length);
  }
  return key;
}

void Drop(Packet& packet, FragmentDrop reason) {
  packet.verdict = Verdict::kFragmentDropped;
  packet.reason = static_cast<uint8_t>(reason);
}

}  // namespace

class Defragmenter::Impl {
 public:
  Impl(const DefragmentOptions& options, const Decoder& decoder)
      : options_(options),
        decoder_(decoder),
        store_(options.max_datagrams, options.max_bytes, options.overlap),
        completed_(std::make_unique_for_overwrite<uint8_t[]>(kCompletedBytes)) {}

  void Take(Packet& packet, TunnelPath& path);
  void Expire(int64_t now_ns);
  void Flush();
  void Release() { completed_used_ = 0; }
  const FragmentCounters& counters() const { return counters_; }
  size_t memory_bytes() const { return store_.memory_bytes() + kCompletedBytes; }

 private:
  void DecodeFirst(Packet& packet, TunnelPath& path);
  // Why the fragment cannot be part of any datagram; kCount = it can.
  FragmentDrop Fault(const Packet& packet) const;
  // Holds the fragment. Returns its datagram if it is complete now.
  Datagram* Hold(Packet& packet);
  Datagram* FindOrAdd(const DatagramKey& key, int64_t now_ns);
  bool Place(Packet& packet, Datagram& datagram);
  bool EndFits(const Packet& packet, const Datagram& datagram) const;
  void Complete(Packet& packet, TunnelPath& path, Datagram& datagram);
  void GiveUp(Datagram& datagram, FragmentDrop reason);
  void Refuse(Datagram& datagram, FragmentDrop reason);
  void Count(Packet& packet, FragmentDrop reason);

  const DefragmentOptions options_;
  const Decoder& decoder_;
  FragmentStore store_;
  std::unique_ptr<uint8_t[]> completed_;
  size_t completed_used_ = 0;
  FragmentCounters counters_;
};

void Defragmenter::Impl::Take(Packet& packet, TunnelPath& path) {
  for (int level = 0; packet.verdict == Verdict::kFragmentHeld; ++level) {
    if (level == kMaxNesting) return Count(packet, FragmentDrop::kNesting);
    const bool rest_unknown = (packet.flags & packet_flag::kTruncated) != 0;
    if (rest_unknown && packet.fragment_offset == 0) {
      DecodeFirst(packet, path);
      continue;
    }
    const FragmentDrop fault = Fault(packet);
    if (fault != FragmentDrop::kCount) return Count(packet, fault);
    Datagram* datagram = Hold(packet);
    if (datagram == nullptr) return;
    Complete(packet, path, *datagram);
  }
}

// A first fragment that was captured short can never complete; but it has the ports. Where it holds
// a tunnel its inside may be a fragment again.
void Defragmenter::Impl::DecodeFirst(Packet& packet, TunnelPath& path) {
  const uint8_t flags = packet.flags;
  decoder_.DecodePayload(packet.payload, packet.payload_length, packet.payload_wire_length,
                         packet.protocol, packet, path);
  if (packet.verdict != Verdict::kFragmentHeld) packet.flags |= flags;
}

FragmentDrop Defragmenter::Impl::Fault(const Packet& packet) const {
  if ((packet.flags & packet_flag::kTruncated) != 0) return FragmentDrop::kTruncated;
  const bool more = (packet.flags & packet_flag::kMoreFragments) != 0;
  if (packet.payload_length == 0 || (more && packet.payload_length % Datagram::kUnit != 0)) {
    return FragmentDrop::kBadLength;
  }
  const uint32_t most = packet.family == AddressFamily::kIpv4 ? kMaxPayload4 : kMaxPayload6;
  if (packet.fragment_offset + packet.payload_length > most) return FragmentDrop::kOversize;
  return FragmentDrop::kCount;
}

// The frame alone, together with those it completed on the way when it comes out of a nested
// datagram.
void Defragmenter::Impl::Count(Packet& packet, FragmentDrop reason) {
  counters_.dropped[static_cast<size_t>(reason)] += 1 + packet.held_packets;
  Drop(packet, reason);
}

Datagram* Defragmenter::Impl::FindOrAdd(const DatagramKey& key, int64_t now_ns) {
  if (Datagram* datagram = store_.Find(key)) return datagram;
  Datagram* datagram = store_.Add(key, now_ns);
  if (datagram != nullptr) return datagram;
  GiveUp(*store_.Victim(), FragmentDrop::kMemory);
  return store_.Add(key, now_ns);
}

Datagram* Defragmenter::Impl::Hold(Packet& packet) {
  Datagram* datagram = FindOrAdd(KeyOf(packet), packet.timestamp_ns);
  if (datagram->refused) {
    Count(packet, FragmentDrop::kOverlap);
    return nullptr;
  }
  const uint64_t wire_bytes =
      uint64_t{datagram->wire_bytes} + packet.wire_length + packet.held_bytes;
  if (wire_bytes > UINT32_MAX) {  // wire lengths that lie, or a flood of repetitions
    Count(packet, FragmentDrop::kOversize);
    return nullptr;
  }
  if (!Place(packet, *datagram)) return nullptr;
  const uint32_t frames = 1 + packet.held_packets;
  datagram->fragments += frames;
  datagram->wire_bytes = static_cast<uint32_t>(wire_bytes);
  counters_.held += frames;
  if (packet.fragment_offset == 0) datagram->protocol = packet.protocol;
  return datagram->complete() ? datagram : nullptr;
}

// A last fragment must not end before bytes that are there, nor any behind the end that is known.
bool Defragmenter::Impl::EndFits(const Packet& packet, const Datagram& datagram) const {
  const uint32_t end = packet.fragment_offset + packet.payload_length;
  const bool last = (packet.flags & packet_flag::kMoreFragments) == 0;
  if (datagram.total != 0) return last ? end == datagram.total : end <= datagram.total;
  return !last || end >= datagram.end;
}

// IPv4: the policy says whose bytes stay, and a piece that contradicts the datagram's end is left
// out. IPv6: any overlap refuses the datagram as a whole (RFC 5722 section 4), but for a mere
// repetition (RFC 8200 section 4.5).
bool Defragmenter::Impl::Place(Packet& packet, Datagram& datagram) {
  const bool ipv6 = packet.family == AddressFamily::kIpv6;
  if (!EndFits(packet, datagram)) {
    if (ipv6) Refuse(datagram, FragmentDrop::kOverlap);
    Count(packet, FragmentDrop::kOverlap);
    return false;
  }
  const uint32_t end = packet.fragment_offset + packet.payload_length;
  if ((packet.flags & packet_flag::kMoreFragments) == 0) datagram.total = end;
  using Outcome = FragmentStore::Outcome;
  Outcome outcome;
  while ((outcome = store_.Put(datagram, packet.fragment_offset, packet.payload,
                               packet.payload_length)) == Outcome::kNoMemory) {
    Datagram* victim = store_.Victim();
    const bool alone = victim == &datagram;
    GiveUp(*victim, FragmentDrop::kMemory);
    if (alone) {
      Count(packet, FragmentDrop::kMemory);
      return false;
    }
  }
  const bool overlaps = outcome != Outcome::kNew;
  counters_.overlaps += overlaps;
  counters_.conflicts += outcome == Outcome::kConflict;
  if (overlaps && ipv6) {
    Refuse(datagram, FragmentDrop::kOverlap);
    Count(packet, FragmentDrop::kOverlap);
    return false;
  }
  return true;
}

void Defragmenter::Impl::Complete(Packet& packet, TunnelPath& path, Datagram& datagram) {
  const uint32_t total = datagram.total;
  if (kCompletedBytes - completed_used_ < total) {
    GiveUp(datagram, FragmentDrop::kMemory);
    return Drop(packet, FragmentDrop::kMemory);
  }
  uint8_t* data = completed_.get() + completed_used_;
  completed_used_ += total;
  store_.CopyTo(datagram, data);
  packet.held_packets = datagram.fragments - 1;
  packet.held_bytes = datagram.wire_bytes - packet.wire_length;
  const uint8_t protocol = datagram.protocol;
  counters_.held -= datagram.fragments;
  ++counters_.completed;
  store_.Remove(datagram);
  packet.flags = 0;
  packet.transport_offset = 0;
  decoder_.DecodePayload(data, total, total, protocol, packet, path);
  packet.flags |= packet_flag::kDefragmented;
}

void Defragmenter::Impl::GiveUp(Datagram& datagram, FragmentDrop reason) {
  counters_.held -= datagram.fragments;
  counters_.dropped[static_cast<size_t>(reason)] += datagram.fragments;
  store_.Remove(datagram);
}

// Gives up what there is, and remembers the datagram so that what still comes is refused as well.
void Defragmenter::Impl::Refuse(Datagram& datagram, FragmentDrop reason) {
  counters_.held -= datagram.fragments;
  counters_.dropped[static_cast<size_t>(reason)] += datagram.fragments;
  datagram.fragments = 0;
  datagram.refused = true;
  store_.DropPages(datagram);
}

void Defragmenter::Impl::Expire(int64_t now_ns) {
  while (Datagram* oldest = store_.oldest()) {
    if (now_ns - oldest->first_ns < options_.timeout_ns) return;
    GiveUp(*oldest, FragmentDrop::kTimeout);
  }
}

void Defragmenter::Impl::Flush() {
  while (Datagram* oldest = store_.oldest()) GiveUp(*oldest, FragmentDrop::kEnd);
}

Defragmenter::Defragmenter(const DefragmentOptions& options, const Decoder& decoder)
    : impl_(std::make_unique<Impl>(options, decoder)) {}
Defragmenter::~Defragmenter() = default;

void Defragmenter::Apply(std::span<const Frame> frames, std::span<Packet> packets,
                         std::span<TunnelPath> paths, int64_t now_ns) {
  impl_->Expire(now_ns);
  for (size_t i = 0; i < frames.size(); ++i) {
    if (packets[i].verdict != Verdict::kFragmentHeld) continue;
    impl_->Expire(packets[i].timestamp_ns);
    impl_->Take(packets[i], paths[i]);
  }
}

void Defragmenter::Release() { impl_->Release(); }
void Defragmenter::Expire(int64_t now_ns) { impl_->Expire(now_ns); }
void Defragmenter::Flush() { impl_->Flush(); }
const FragmentCounters& Defragmenter::counters() const { return impl_->counters(); }
size_t Defragmenter::memory_bytes() const { return impl_->memory_bytes(); }

}  // namespace weir
