#include "engine/rules_filter.h"

namespace weir {
namespace {

// The innermost addresses, for want of others: link types without an EtherType are read by the
// decoder only.
FilterRules::Facts FactsOf(const Packet& packet) {
  FilterRules::Facts facts;
  if (packet.verdict != Verdict::kNotIp && packet.verdict != Verdict::kMalformed) {
    facts.ip_version = packet.family == AddressFamily::kIpv6 ? 6 : 4;
  }
  if (packet.family == AddressFamily::kIpv4 || packet.family == AddressFamily::kIpv6) {
    facts.source = packet.source;
    facts.destination = packet.destination;
  }
  if (packet.vlan_count > 0) facts.vlan = packet.vlan[0];
  return facts;
}

}  // namespace

void RulesFilter::Apply(std::span<const Frame> frames, std::span<Packet> packets) {
  for (size_t i = 0; i < frames.size(); ++i) {
    if (packets[i].verdict == Verdict::kFiltered) continue;
    const auto why = FilterRules::Reads(frames[i].link_type)
                         ? rules_->WhyRefused(frames[i])
                         : rules_->WhyRefused(FactsOf(packets[i]));
    if (why) Refuse(packets[i], *why);
  }
}

}  // namespace weir
