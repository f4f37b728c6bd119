// Any list of networks and any frame: a list that can be read equals the networks it is made of,
// read again, and rules with it say of the frame what classic BPF says. Input: flags, the list, a
// zero, the frame.
#include <arpa/inet.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "rings/classic_rules.h"
#include "rings/filter_rules.h"
#include "tests/support/classic_machine.h"
#include "tests/support/packet_builder.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

std::string TextOf(const weir::CidrSet& set) {
  std::string text;
  for (const weir::CidrSet::Network& network : set.Networks()) {
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(network.ipv6 ? AF_INET6 : AF_INET, network.address, address, sizeof address);
    text += std::string(address) + "/" + std::to_string(network.length) + "\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t zero = text.find('\0');
  const auto set = weir::CidrSet::Parse(text.substr(0, zero), "list");
  if (!set.ok()) return 0;
  const auto again = weir::CidrSet::Parse(TextOf(*set), "networks");
  Check(again.ok() && TextOf(*again) == TextOf(*set));

  weir::FilterRules rules;
  rules.ip_only = (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) rules.vlans.emplace(data[0] >> 4);
  if ((data[0] & 4) != 0) rules.ignore_destinations = *set;
  if ((data[0] & 8) != 0) rules.accept_sources = *again;
  if (zero == std::string::npos) return 0;
  const weir::test::Bytes frame(text.begin() + static_cast<ptrdiff_t>(zero) + 1, text.end());
  auto program = weir::ClassicRules(rules, true);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 1));
  const bool refused = rules.WhyRefused(weir::test::AsFrame(frame)).has_value();
  Check(weir::test::RunClassic(program, frame) == (refused ? 0 : 1));
  return 0;
}
