#include "rings/classic_rules.h"

#include <algorithm>
#include <bit>
#include <span>

#include "rings/classic_program.h"

namespace weir {
namespace {

// SKF_AD_*: what the kernel knows of a frame beside its bytes.
constexpr uint32_t Ancillary(int what) { return static_cast<uint32_t>(SKF_AD_OFF + what); }

constexpr uint32_t kEtherTypeAt = 12;
constexpr uint32_t kEtherHeader = 14;
constexpr uint32_t kMostTags = 4;  // WEIR_MOST_TAGS

// The program's own memory.
enum : uint32_t { kVlan, kType };
// In it: 0 is "no IP".
enum : uint32_t { kNoIp = 0, kIpv4 = 0x0800, kIpv6 = 0x86dd };

struct Range {
  uint32_t first, last;
};

class Writer {
 public:
  Writer(const FilterRules& rules, bool ethernet) : rules_(rules), ethernet_(ethernet) {}

  std::vector<sock_filter> Write() {
    program_.Add(BPF_LD | BPF_IMM, 0);
    program_.Add(BPF_ST, kVlan);
    program_.Add(BPF_ST, kType);
    if (ethernet_) {
      WalkTags();
    } else {
      LookAtVersion();
    }
    program_.Bind(walked_);
    if (rules_.vlans) SelectVlans();
    LookAtAddresses();
    program_.Bind(refuse_);
    program_.Add(BPF_RET | BPF_K, 0);
    program_.Bind(accept_);
    return program_.Finish();
  }

 private:
  using Label = ClassicProgram::Label;

  // Ends with the EtherType in kType if it is IP's, the VLAN in kVlan, the IP header's place in X.
  void WalkTags() {
    const Label bytes = program_.NewLabel();
    UnlessLonger(kEtherHeader, walked_);
    program_.Add(BPF_LD | BPF_B | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG_PRESENT));
    program_.JumpIf(BPF_JEQ, 0, bytes);
    program_.Add(BPF_LD | BPF_W | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG));
    NoteVlan();
    program_.Bind(bytes);
    for (uint32_t tag = 0; tag <= kMostTags; ++tag) WalkTag(tag);
  }

  // Behind `tags` tags in the bytes.
  void WalkTag(uint32_t tags) {
    const Label is_tag = program_.NewLabel(), is_ip = program_.NewLabel(),
                noted = program_.NewLabel();
    const uint32_t behind = kEtherHeader + 4 * tags;
    program_.Add(BPF_LD | BPF_H | BPF_ABS, kEtherTypeAt + 4 * tags);
    program_.JumpIf(BPF_JEQ, kIpv4, is_ip);
    program_.JumpIf(BPF_JEQ, kIpv6, is_ip);
    if (tags < kMostTags) {
      for (const uint32_t type : {0x8100, 0x88a8, 0x9100}) program_.JumpIf(BPF_JEQ, type, is_tag);
    }
    program_.Jump(walked_);
    program_.Bind(is_ip);
    program_.Add(BPF_ST, kType);
    program_.Add(BPF_LDX | BPF_IMM, behind);
    program_.Jump(walked_);
    program_.Bind(is_tag);
    if (tags == kMostTags) return;
    if (tags == kMostTags - 1) {  // the one that was taken out counts
      program_.Add(BPF_LD | BPF_B | BPF_ABS, Ancillary(SKF_AD_VLAN_TAG_PRESENT));
      program_.JumpUnless(BPF_JEQ, 0, walked_);
    }
    UnlessLonger(behind + 4, walked_);
    program_.Add(BPF_LD | BPF_MEM, kVlan);
    program_.JumpUnless(BPF_JEQ, 0, noted);
    program_.Add(BPF_LD | BPF_H | BPF_ABS, behind);
    NoteVlan();
    program_.Bind(noted);
  }

  void LookAtVersion() {
    const Label ipv4 = program_.NewLabel(), ipv6 = program_.NewLabel();
    program_.Add(BPF_LDX | BPF_IMM, 0);
    UnlessLonger(1, walked_);
    program_.Add(BPF_LD | BPF_B | BPF_ABS, 0);
    program_.Add(BPF_ALU | BPF_RSH | BPF_K, 4);
    program_.JumpIf(BPF_JEQ, 4, ipv4);
    program_.JumpIf(BPF_JEQ, 6, ipv6);
    program_.Jump(walked_);
    for (const auto& [label, type] : {std::pair(ipv4, kIpv4), std::pair(ipv6, kIpv6)}) {
      program_.Bind(label);
      program_.Add(BPF_LD | BPF_IMM, type);
      program_.Add(BPF_ST, kType);
      program_.Jump(walked_);
    }
  }

  void UnlessLonger(uint32_t bytes, Label label) {
    program_.Add(BPF_LD | BPF_W | BPF_LEN);
    program_.JumpUnless(BPF_JGE, bytes, label);
  }

  void NoteVlan() {
    program_.Add(BPF_ALU | BPF_AND | BPF_K, 0x0fff);
    program_.Add(BPF_ST, kVlan);
  }

  void SelectVlans() {
    std::vector<Range> ranges;
    for (uint32_t id = 0; id < rules_.vlans->size(); ++id) {
      if (!rules_.vlans->test(id)) continue;
      if (!ranges.empty() && ranges.back().last + 1 == id) {
        ranges.back().last = id;
      } else {
        ranges.push_back({id, id});
      }
    }
    const Label selected = program_.NewLabel();
    program_.Add(BPF_LD | BPF_MEM, kVlan);
    Search(ranges, selected, refuse_);
    program_.Bind(selected);
  }

  // Does A lie in one of `ranges`? A binary search, written out.
  void Search(std::span<const Range> ranges, Label found, Label missed) {
    if (ranges.empty()) return program_.Jump(missed);
    const size_t middle = ranges.size() / 2;
    const Label behind = program_.NewLabel();
    program_.JumpIf(BPF_JGT, ranges[middle].last, behind);
    program_.JumpIf(BPF_JGE, ranges[middle].first, found);
    Search(ranges.first(middle), found, missed);
    program_.Bind(behind);
    Search(ranges.subspan(middle + 1), found, missed);
  }

  void LookAtAddresses() {
    const Label ipv4 = program_.NewLabel(), ipv6 = program_.NewLabel(),
                in_no_list = program_.NewLabel();
    program_.Add(BPF_LD | BPF_MEM, kType);
    program_.JumpIf(BPF_JEQ, kIpv4, ipv4);
    program_.JumpIf(BPF_JEQ, kIpv6, ipv6);
    if (rules_.ip_only) program_.Jump(refuse_);
    program_.Jump(in_no_list);
    program_.Bind(ipv4);
    UnlessHeaderHas(20, in_no_list);
    Lists([this](const CidrSet& set, bool source, Label found, Label missed) {
      SearchIpv4(set, source ? 12 : 16, found, missed);
    });
    program_.Bind(ipv6);
    UnlessHeaderHas(40, in_no_list);
    Lists([this](const CidrSet& set, bool source, Label found, Label missed) {
      SearchIpv6(set, source ? 8 : 24, found, missed);
    });
    program_.Bind(in_no_list);
    program_.Jump(rules_.accept_sources ? refuse_ : accept_);
  }

  void UnlessHeaderHas(uint32_t bytes, Label label) {
    program_.Add(BPF_LD | BPF_W | BPF_LEN);
    program_.Add(BPF_ALU | BPF_SUB | BPF_X);
    program_.JumpUnless(BPF_JGE, bytes, label);
  }

  template <typename SearchList>
  void Lists(SearchList search) {
    if (rules_.ignore_destinations) {
      const Label not_ignored = program_.NewLabel();
      search(*rules_.ignore_destinations, false, refuse_, not_ignored);
      program_.Bind(not_ignored);
    }
    if (rules_.accept_sources) return search(*rules_.accept_sources, true, accept_, refuse_);
    program_.Jump(accept_);
  }

  void SearchIpv4(const CidrSet& set, uint32_t at, Label found, Label missed) {
    std::vector<Range> ranges;
    for (const CidrSet::Ipv4Range& range : set.Ipv4Ranges()) {
      ranges.push_back({range.first, range.last});
    }
    program_.Add(BPF_LD | BPF_W | BPF_IND, at);
    Search(ranges, found, missed);
  }

  // One network after another, word by word.
  void SearchIpv6(const CidrSet& set, uint32_t at, Label found, Label missed) {
    for (const CidrSet::Network& network : set.Networks()) {
      if (!network.ipv6) continue;
      const Label next = program_.NewLabel();
      for (int bit = 0; bit < network.length; bit += 32) {
        const uint8_t* const bytes = network.address + bit / 8;
        const uint32_t word = static_cast<uint32_t>(bytes[0]) << 24 |
                              static_cast<uint32_t>(bytes[1]) << 16 |
                              static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
        program_.Add(BPF_LD | BPF_W | BPF_IND, at + static_cast<uint32_t>(bit) / 8);
        if (const int left = network.length - bit; left < 32) {
          program_.Add(BPF_ALU | BPF_AND | BPF_K, ~uint32_t{0} << (32 - left));
        }
        program_.JumpUnless(BPF_JEQ, word, next);
      }
      program_.Jump(found);
      program_.Bind(next);
    }
    program_.Jump(missed);
  }

  const FilterRules& rules_;
  const bool ethernet_;
  ClassicProgram program_;
  const Label walked_ = program_.NewLabel();
  const Label refuse_ = program_.NewLabel();
  const Label accept_ = program_.NewLabel();
};

}  // namespace

std::vector<sock_filter> ClassicRules(const FilterRules& rules, bool ethernet) {
  if (rules.empty()) return {};
  return Writer(rules, ethernet).Write();
}

}  // namespace weir
