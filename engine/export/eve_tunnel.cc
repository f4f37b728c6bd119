#include "engine/export/eve_tunnel.h"

#include "engine/export/text.h"

namespace weir {
namespace {

uint64_t BigEndian(const uint8_t* bytes, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

void WriteOuter(JsonLine& line, AddressFamily family, const uint8_t* bytes, int size) {
  line.StartArray("outer");
  line.Text(TextOfAddress(family, bytes).view());
  line.Text(TextOfAddress(family, bytes + size).view());
  line.EndArray();
}

// Writes the element at `bytes` and returns how many bytes its value has; -1 for an unknown kind.
int WriteElement(JsonLine& line, PathElement kind, const uint8_t* bytes) {
  switch (kind) {
    case PathElement::kVlan:
      line.Number("vlan", BigEndian(bytes, 2));
      return 2;
    case PathElement::kPppoeSession:
      line.Number("pppoe", BigEndian(bytes, 2));
      return 2;
    case PathElement::kVxlanVni:
      line.Number("vni", BigEndian(bytes, 3));
      return 3;
    case PathElement::kGreKey:
      line.Number("gre_key", BigEndian(bytes, 4));
      return 4;
    case PathElement::kOuterIpv4:
      WriteOuter(line, AddressFamily::kIpv4, bytes, 4);
      return 8;
    case PathElement::kOuterIpv6:
      WriteOuter(line, AddressFamily::kIpv6, bytes, 16);
      return 32;
    case PathElement::kExtension:
      line.Number("extension", BigEndian(bytes, 8));
      return 8;
  }
  return -1;
}

}  // namespace

void WriteTunnel(JsonLine& line, const TunnelPath& path) {
  if (path.length == 0) return;
  line.StartArray("tunnel");
  for (int at = 0; at < path.length;) {
    line.StartObject();
    const int size =
        WriteElement(line, static_cast<PathElement>(path.bytes[at]), path.bytes + at + 1);
    line.EndObject();
    if (size < 0) break;
    at += 1 + size;
  }
  line.EndArray();
}

}  // namespace weir
