#include "tools/load/command/traffic_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <utility>

#include "absl/strings/str_format.h"
#include "tools/weir/parse.h"

namespace weir::load {
namespace {

constexpr char kFlows[] = "Flows";
constexpr char kTcp[] = "TCP and sizes";
constexpr char kTrouble[] = "Trouble (shares: 5% or 0.05)";

absl::Status Wrong(std::string_view text, std::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrFormat("'%s' is not %s", text, wanted));
}

template <typename Number>
bool Read(std::string_view text, Number& to) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, to);
  return error == std::errc() && rest == end;
}

// Takes `suffix` off the end, if it is there.
bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// The part of a value that parsed; else CLI11 is told why not.
template <typename Value>
Value Taken(absl::StatusOr<Value> value) {
  if (!value.ok()) throw CLI::ValidationError(std::string(value.status().message()));
  return *std::move(value);
}

template <typename Parse>
CLI::Option* Add(CLI::App& app, const char* name, const char* group, const char* type,
                 const char* help, Parse parse) {
  return app.add_option_function<std::string>(name, parse, help)->type_name(type)->group(group);
}

void AddShare(CLI::App& app, const char* name, const char* group, double& to, const char* help) {
  Add(app, name, group, "SHARE", help,
      [&to](const std::string& text) { to = Taken(ParseShare(text)); });
}

template <typename Number>
void AddCount(CLI::App& app, const char* name, const char* group, Number& to, const char* help) {
  Add(app, name, group, "N", help, [&to](const std::string& text) {
    const uint64_t count = Taken(ParseCount(text));
    if (!std::in_range<Number>(count)) throw CLI::ValidationError(text + " is too many");
    to = static_cast<Number>(count);
  });
}

void AddFlowOptions(CLI::App& app, TrafficProfile& profile) {
  AddCount(app, "--seed", kFlows, profile.seed, "Who has the same seed has the same frames (1)");
  AddCount(app, "--packets", kFlows, profile.packets, "Frames in all (1M)");
  AddCount(app, "--flows", kFlows, profile.flows, "Flows open at once (1000)");
  Add(app, "--popularity", kFlows, "HOW",
      "Which flow a packet is of: uniform (default), turns, zipf, zipf=1.2",
      [&profile](const std::string& text) {
        const absl::Status status = ParsePopularity(text, profile);
        if (!status.ok()) throw CLI::ValidationError(std::string(status.message()));
      });
  AddCount(app, "--flow-packets", kFlows, profile.flow_packets,
           "A flow ends after about so many packets, another takes its place (0: never)");
  AddShare(app, "--udp", kFlows, profile.udp, "Flows that are UDP (0)");
  AddShare(app, "--icmp", kFlows, profile.icmp, "Flows that are pings (0)");
  AddShare(app, "--ipv6", kFlows, profile.ipv6, "Flows over IPv6 (0)");
  Add(app, "--vlans", kFlows, "IDS", "Flows bear these VLAN tags in turn: 5,7",
      [&profile](const std::string& text) { profile.vlans = Taken(ParseVlans(text)); });
  Add(app, "--tunnels", kFlows, "KINDS",
      "Flows are in these in turn: none, vxlan, gre, ipip (none,vxlan: every other one)",
      [&profile](const std::string& text) { profile.tunnels = Taken(ParseTunnels(text)); });
}

void AddTcpOptions(CLI::App& app, TrafficProfile& profile) {
  Add(app, "--payload", kTcp, "SIZES",
      "Payload bytes: 576, or with weights 64:7,576:4,1448:1 (default)",
      [&profile](const std::string& text) {
        profile.sizes = Taken(ParseSizes(text));
        profile.size_unit = SizeUnit::kPayload;
      });
  Add(app, "--frame", kTcp, "SIZES",
      "Instead: frame bytes without check sequence: 60, 60:7,590:4, imix",
      [&profile](const std::string& text) {
        profile.sizes = Taken(ParseSizes(text));
        profile.size_unit = SizeUnit::kFrame;
      })
      ->excludes("--payload");
  app.add_flag_callback(
         "--midstream", [&profile] { profile.handshake = false; },
         "No handshakes, no closes: every flow is joined in the middle")
      ->group(kTcp);
  AddShare(app, "--from-server", kTcp, profile.from_server, "Data that the responder sends (80%)");
  AddCount(app, "--ack-every", kTcp, profile.ack_every,
           "Data segments that one ACK answers (2; 0: no packet is an ACK alone)");
  AddShare(app, "--reset", kTcp, profile.reset, "Flows that end by RST, not FIN (0)");
}

void AddTroubleOptions(CLI::App& app, TrafficProfile& profile) {
  Add(app, "--reorder", kTrouble, "SHARE[,N]",
      "Data segments that come later than they should, by 1 to N (8) of their flow",
      [&profile](const std::string& text) {
        const size_t comma = text.find(',');
        profile.reorder = Taken(ParseShare(text.substr(0, comma)));
        if (comma != std::string::npos)
          profile.reorder_distance =
              static_cast<uint32_t>(Taken(ParseCount(text.substr(comma + 1))));
      });
  AddShare(app, "--duplicate", kTrouble, profile.duplicate, "Frames that come twice");
  AddShare(app, "--loss", kTrouble, profile.loss, "Data segments acknowledged, but never sent");
  AddShare(app, "--overlap", kTrouble, profile.overlap, "Data segments that repeat some bytes");
  AddShare(app, "--fragment", kTrouble, profile.fragment, "Datagrams that come as fragments");
  AddShare(app, "--syn-flood", kTrouble, profile.syn_flood, "Frames that are a SYN of a new flow");
  AddShare(app, "--fragment-flood", kTrouble, profile.fragment_flood,
           "Frames that are a first fragment without others");
  AddShare(app, "--collision-flood", kTrouble, profile.collision_flood,
           "Frames of new UDP flows that weak hashes take for one");
  AddCount(app, "--probe-every", kTrouble, profile.probe_every,
           "Each N-th frame bears its send time, for the delay (0: none)");
}

}  // namespace

void AddTrafficOptions(CLI::App& app, TrafficProfile& profile) {
  AddFlowOptions(app, profile);
  AddTcpOptions(app, profile);
  AddTroubleOptions(app, profile);
}

absl::StatusOr<double> ParseShare(std::string_view text) {
  std::string_view number = text;
  const bool percent = TakeSuffix(number, "%");
  double value = 0;
  if (!Read(number, value) || !(value >= 0) || value > (percent ? 100 : 1))
    return Wrong(text, "a share: write 5% or 0.05");
  return percent ? value / 100 : value;
}

absl::StatusOr<std::vector<SizeShare>> ParseSizes(std::string_view text) {
  if (text == "imix") return std::vector<SizeShare>{{60, 7}, {590, 4}, {1514, 1}};
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  std::vector<SizeShare> sizes;
  for (const std::string_view part : *parts) {
    const size_t colon = part.find(':');
    SizeShare& size = sizes.emplace_back();
    if (!Read(part.substr(0, colon), size.bytes) ||
        (colon != part.npos && !Read(part.substr(colon + 1), size.weight)) || size.weight == 0)
      return Wrong(part, "a size: write 576, or with its weight 576:4");
  }
  return sizes;
}

absl::StatusOr<std::vector<uint16_t>> ParseVlans(std::string_view text) {
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  std::vector<uint16_t> vlans;
  for (const std::string_view part : *parts) {
    uint32_t id = 0;
    if (!Read(part, id) || id < 1 || id > 4094) return Wrong(part, "a VLAN id: 1 to 4094");
    vlans.push_back(static_cast<uint16_t>(id));
  }
  return vlans;
}

absl::StatusOr<std::vector<TunnelKind>> ParseTunnels(std::string_view text) {
  constexpr std::pair<std::string_view, TunnelKind> kKinds[] = {{"none", TunnelKind::kNone},
                                                                {"vxlan", TunnelKind::kVxlan},
                                                                {"gre", TunnelKind::kGre},
                                                                {"ipip", TunnelKind::kIpInIp}};
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  std::vector<TunnelKind> tunnels;
  for (const std::string_view part : *parts) {
    const auto* const kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                          [&](const auto& known) { return known.first == part; });
    if (kind == std::end(kKinds)) return Wrong(part, "a tunnel: none, vxlan, gre or ipip");
    tunnels.push_back(kind->second);
  }
  return tunnels;
}

absl::Status ParsePopularity(std::string_view text, TrafficProfile& profile) {
  const auto [name, value] = SplitPair(text);
  if (name == "zipf") {
    profile.popularity = Popularity::kZipf;
    if (value.empty() || (Read(value, profile.zipf_exponent) && profile.zipf_exponent > 0 &&
                          profile.zipf_exponent <= 10))
      return absl::OkStatus();
  } else if (value.empty() && (name == "uniform" || name == "turns")) {
    profile.popularity = name == "turns" ? Popularity::kRoundRobin : Popularity::kUniform;
    return absl::OkStatus();
  }
  return Wrong(text, "a popularity: uniform, turns, zipf or zipf=1.2");
}

absl::StatusOr<SendRate> ParseRate(std::string_view text) {
  constexpr std::string_view kWanted = "a rate: 500k or 1.2M (packets), 100Mbit or 9.5Gbit";
  std::string_view number = text;
  const bool bits = TakeSuffix(number, "bit");
  double factor = 1;
  if (TakeSuffix(number, "k"))
    factor = 1e3;
  else if (TakeSuffix(number, "M"))
    factor = 1e6;
  else if (TakeSuffix(number, "G"))
    factor = 1e9;
  double value = 0;
  if (!Read(number, value) || !(value > 0) || value > 1e12) return Wrong(text, kWanted);
  SendRate rate;
  (bits ? rate.bits_per_second : rate.packets_per_second) = value * factor;
  return rate;
}

}  // namespace weir::load
