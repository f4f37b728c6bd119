#include "rings/capture_format.h"

#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

using std::string_view_literals::operator""sv;

bool StartsWith(const uint8_t* magic, std::string_view prefix) {
  return std::memcmp(magic, prefix.data(), prefix.size()) == 0;
}

struct Compression {
  std::string_view magic;
  const char* name;
  const char* command;
};

constexpr Compression kCompressions[] = {
    {"\x1f\x8b"sv, "gzip", "zcat"},
    {"\x1f\x9d"sv, "compress", "zcat"},
    {"\x28\xb5\x2f\xfd"sv, "zstd", "zstdcat"},
    {"BZh"sv, "bzip2", "bzcat"},
    {"\xfd"
     "7zXZ\0"sv,
     "xz", "xzcat"},
    {"\x04\x22\x4d\x18"sv, "lz4", "lz4cat"},
};

struct Named {
  std::string_view magic;
  const char* name;
};

// Formats that Wireshark's editcap reads.
constexpr Named kForeign[] = {
    {"RTSS"sv, "Microsoft Network Monitor 1"},
    {"GMBU"sv, "Microsoft Network Monitor 2"},
    {"TRSNIFF "sv, "Sniffer"},
    {"XCP\0"sv, "NetXray"},
    {"iptrace "sv, "AIX iptrace"},
    {"\x05VNF"sv, "Visual Networks"},
    {"\x54\x52\x00\x64\x00"sv, "HP-UX nettl"},
    {"\x1c\x00\x01\xac"sv, "IXIA lcap"},
    {"\xac\x01\x00\x1c"sv, "IXIA lcap"},
    {"\x1c\x00\x01\xab"sv, "IXIA lcap"},
    {"\xab\x01\x00\x1c"sv, "IXIA lcap"},
    {"btsnoop\0"sv, "btsnoop"},
};

}  // namespace

CaptureFormat FormatOf(const uint8_t* magic) {
  for (std::string_view pcap : {"\xa1\xb2\xc3\xd4"sv, "\xd4\xc3\xb2\xa1"sv, "\xa1\xb2\x3c\x4d"sv,
                                "\x4d\x3c\xb2\xa1"sv, "\xa1\xb2\xcd\x34"sv, "\x34\xcd\xb2\xa1"sv}) {
    if (StartsWith(magic, pcap)) return CaptureFormat::kPcap;
  }
  if (StartsWith(magic, "\x0a\x0d\x0d\x0a"sv)) return CaptureFormat::kPcapng;
  if (StartsWith(magic, "snoop\0\0\0"sv)) return CaptureFormat::kSnoop;
  return CaptureFormat::kOther;
}

absl::Status RefusalOf(const uint8_t* magic) {
  for (const Compression& compression : kCompressions) {
    if (StartsWith(magic, compression.magic)) {
      return absl::UnimplementedError(absl::StrCat(
          "compressed (", compression.name, "): ", compression.command, " FILE | weir -r -"));
    }
  }
  for (const Named& foreign : kForeign) {
    if (StartsWith(magic, foreign.magic)) {
      return absl::UnimplementedError(
          absl::StrCat("a ", foreign.name,
                       " file, which is not read here; convert it: editcap -F pcapng FILE NEW"));
    }
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "not a capture file that is known here: it starts with %02x %02x %02x %02x, and pcap, pcapng "
      "and "
      "snoop are read; if Wireshark opens it, convert it: editcap -F pcapng FILE NEW",
      magic[0], magic[1], magic[2], magic[3]));
}

}  // namespace weir
