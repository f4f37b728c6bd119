// Writes capture files byte by byte, in either byte order, damaged ones too: for the readers'
// tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::test {

class CaptureBytes {
 public:
  explicit CaptureBytes(bool swapped = false) : swapped_(swapped) {}

  CaptureBytes& U8(uint8_t value) { return Raw(value); }
  CaptureBytes& U16(uint16_t value) { return Raw(swapped_ ? __builtin_bswap16(value) : value); }
  CaptureBytes& U32(uint32_t value) { return Raw(swapped_ ? __builtin_bswap32(value) : value); }
  CaptureBytes& U64(uint64_t value) { return Raw(swapped_ ? __builtin_bswap64(value) : value); }
  CaptureBytes& Text(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  CaptureBytes& Pad() {
    bytes_.resize((bytes_.size() + 3) & ~size_t{3});
    return *this;
  }

  CaptureBytes& PcapHeader(uint32_t magic = 0xa1b2c3d4, uint32_t link_type = 1,
                           uint32_t snap_length = 65535, uint16_t minor = 4) {
    return U32(magic).U16(2).U16(minor).U32(0).U32(0).U32(snap_length).U32(link_type);
  }
  CaptureBytes& PcapRecord(uint32_t seconds, uint32_t fraction, std::string_view data,
                           uint32_t wire_length = 0) {
    U32(seconds).U32(fraction).U32(Size(data)).U32(wire_length != 0 ? wire_length : Size(data));
    return Text(data);
  }

  // pcapng: one block around `body`.
  CaptureBytes& Block(uint32_t type, const CaptureBytes& body) {
    const std::string padded = CaptureBytes(body).Pad().bytes();
    return U32(type).U32(Size(padded) + 12).Text(padded).U32(Size(padded) + 12);
  }
  CaptureBytes& Section() {
    return Block(0x0a0d0d0a, Fresh().U32(0x1a2b3c4d).U16(1).U16(0).U64(~uint64_t{0}));
  }
  CaptureBytes& Interface(uint16_t link_type = 1, uint32_t snap_length = 0,
                          std::string_view options = "") {
    return Block(1, Fresh().U16(link_type).U16(0).U32(snap_length).Text(options));
  }
  CaptureBytes& Enhanced(uint32_t interface, uint64_t units, std::string_view data,
                         std::string_view options = "") {
    return Block(6, Fresh()
                        .U32(interface)
                        .U32(static_cast<uint32_t>(units >> 32))
                        .U32(static_cast<uint32_t>(units))
                        .U32(Size(data))
                        .U32(Size(data))
                        .Text(data)
                        .Pad()
                        .Text(options));
  }
  std::string Option(uint16_t code, std::string_view value) const {
    return Fresh().U16(code).U16(static_cast<uint16_t>(value.size())).Text(value).Pad().bytes();
  }

  CaptureBytes Fresh() const { return CaptureBytes(swapped_); }
  const std::string& bytes() const { return bytes_; }

 private:
  static uint32_t Size(std::string_view text) { return static_cast<uint32_t>(text.size()); }

  template <typename Number>
  CaptureBytes& Raw(Number value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof raw);
    return *this;
  }

  bool swapped_;
  std::string bytes_;
};

}  // namespace weir::test
