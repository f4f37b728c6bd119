// IEEE 802.11 data frames, alone or behind radiotap or PPI. These headers are in little-endian
// order.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

uint32_t LoadLittle16(const uint8_t* bytes) { return LoadNative<uint16_t>(bytes); }
uint32_t LoadLittle32(const uint8_t* bytes) { return LoadNative<uint32_t>(bytes); }

// The header of a data frame: IEEE 802.11-2020 section 9.3.2.
struct DataHeader {
  uint32_t size = 0;  // 0: not a data frame that can be read
  bool aggregated = false;
};

DataHeader ReadHeader(Slice in, uint8_t control, uint8_t flags, uint8_t fragment) {
  constexpr uint8_t kTypeMask = 0x0f, kData = 0x08, kNoData = 0x40, kQos = 0x80;
  constexpr uint8_t kBothWays = 0x03, kProtected = 0x40, kHtControl = 0x80;
  if ((control & kTypeMask) != kData || (control & kNoData) != 0) return {};
  if ((flags & kProtected) != 0) return {};
  if ((fragment & 0x0f) != 0) return {};  // a later one
  DataHeader header;
  header.size = 24;
  if ((flags & kBothWays) == kBothWays) header.size += 6;
  if ((control & kQos) == 0) return header;
  if (!in.Has(header.size + 2)) return {};
  header.aggregated = (in.data[header.size] & 0x80) != 0;
  header.size += 2;
  if ((flags & kHtControl) != 0) header.size += 4;
  return header;
}

// Destination and source by "to" and "from distribution system": table 9-30.
void SetMacAddresses(State& state, Slice in, uint8_t flags) {
  if (!state.options.mac_addresses || state.packet.family != AddressFamily::kNone) return;
  const uint8_t* address1 = in.data + 4;
  const uint8_t* address2 = in.data + 10;
  const uint8_t* address3 = in.data + 16;
  const bool to = (flags & 1) != 0, from = (flags & 2) != 0;
  state.packet.destination = to ? address3 : address1;
  state.packet.source = from ? (to ? in.data + 24 : address3) : address2;
  state.packet.family = AddressFamily::kMac;
}

// How the 16-bit fields of a frame are laid out in the capture.
struct Layout {
  bool padded = false;   // what follows the header is aligned to 4 bytes
  bool swapped = false;  // the high byte stands first
};

void DataFrame(State& state, Slice in, Layout layout) {
  if (!in.Has(24)) return;  // management and control frames may be short
  const uint8_t control = in.data[layout.swapped ? 1 : 0], flags = in.data[layout.swapped ? 0 : 1];
  DataHeader header = ReadHeader(in, control, flags, in.data[layout.swapped ? 23 : 22]);
  if (layout.padded) header.size = (header.size + 3) & ~3u;
  if (header.size == 0) return;
  if (!in.Has(header.size)) return state.Malformed(Malformed::kLinkTruncated);
  SetMacAddresses(state, in, flags);
  in = in.From(header.size);
  if (header.aggregated) {  // the first subframe: two addresses and a length
    if (!in.Has(14)) return state.Malformed(Malformed::kLinkTruncated);
    in = in.From(14).First(Load16(in.data + 12));
  }
  LlcSnap(state, in);
}

// The flags field of a radiotap header (www.radiotap.org/fields/Flags); 0 where there is none.
uint8_t RadiotapFlags(Slice header) {
  constexpr uint32_t kTimer = 1, kFlags = 2, kMoreWords = 1u << 31;
  const uint32_t present = LoadLittle32(header.data + 4);
  uint32_t at = 8;
  for (uint32_t word = present; (word & kMoreWords) != 0; at += 4) {
    if (!header.Has(at + 4)) return 0;
    word = LoadLittle32(header.data + at);
  }
  if ((present & kFlags) == 0) return 0;
  if ((present & kTimer) != 0) at = ((at + 7) & ~7u) + 8;
  return header.Has(at + 1) ? header.data[at] : 0;
}

}  // namespace

void Ieee80211(State& state, Slice in) { DataFrame(state, in, {}); }

void Ieee80211Swapped(State& state, Slice in) { DataFrame(state, in, {.swapped = true}); }

void Radiotap(State& state, Slice in) {
  constexpr uint8_t kPadded = 0x20;
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  const uint32_t size = LoadLittle16(in.data + 2);
  if (size < 8) return state.Malformed(Malformed::kLinkHeader);
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  const bool padded = (RadiotapFlags(in.First(size)) & kPadded) != 0;
  DataFrame(state, in.From(size), {.padded = padded});
}

// Per-Packet Information: version, flags, length, link type, fields.
void PerPacketInformation(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  const uint32_t size = LoadLittle16(in.data + 2), link_type = LoadLittle32(in.data + 4);
  if (size < 8 || link_type == link_type::kPpi) return state.Malformed(Malformed::kLinkHeader);
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  Link(state, in.From(size), link_type);
}

}  // namespace weir::decode
