#include "tools/weir/option_values.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/weir/parse.h"

namespace weir {
namespace {

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

using TimeoutField = int64_t Timeouts::*;
constexpr Named<TimeoutField> kTimeouts[] = {
    {"tcp", &Timeouts::tcp_established},
    {"syn", &Timeouts::tcp_syn},
    {"unanswered", &Timeouts::tcp_unanswered},
    {"closing", &Timeouts::tcp_closing},
    {"closed", &Timeouts::tcp_closed},
    {"udp", &Timeouts::udp},
    {"icmp", &Timeouts::icmp},
    {"other", &Timeouts::other},
    {"active", &Timeouts::active},
};
constexpr Named<uint8_t> kIgnored[] = {{"mac", dedup_ignore::kMac},
                                       {"vlan", dedup_ignore::kVlan},
                                       {"ttl", dedup_ignore::kTtl},
                                       {"checksum", dedup_ignore::kChecksum}};
constexpr Named<uint32_t> kKeyParts[] = {{"vlan", key_part::kVlan},   {"pppoe", key_part::kPppoe},
                                         {"vni", key_part::kVni},     {"gre", key_part::kGreKey},
                                         {"outer", key_part::kOuter}, {"all", key_part::kAll}};
constexpr Named<CountBy> kCountBy[] = {{"ip", CountBy::kIp}, {"flow", CountBy::kFlow}};
constexpr Named<KeyKind> kKeyKinds[] = {{"five-tuple", KeyKind::kFiveTuple},
                                        {"ip-pair", KeyKind::kIpPair},
                                        {"mac-pair", KeyKind::kMacPair}};
constexpr Named<CaptureDirection> kDirections[] = {{"both", CaptureDirection::kBoth},
                                                   {"in", CaptureDirection::kIn},
                                                   {"out", CaptureDirection::kOut}};
constexpr Named<Overload> kOverloads[] = {{"off", Overload::kTakeAll},
                                          {"refuse-new", Overload::kRefuseNew}};
constexpr Named<bool FanoutOptions::*> kFanoutFlags[] = {{"defrag", &FanoutOptions::defragment},
                                                         {"rollover", &FanoutOptions::rollover}};
constexpr Named<Backend> kBackends[] = {
    {"auto", Backend::kAuto}, {"packet", Backend::kPacket}, {"xdp", Backend::kXdp}};
constexpr Named<std::optional<XdpMode>> kXdpModes[] = {{"auto", std::nullopt},
                                                       {"zero-copy", XdpMode::kZeroCopy},
                                                       {"copy", XdpMode::kCopy},
                                                       {"generic", XdpMode::kGeneric}};
constexpr Named<ChecksumMode> kChecksums[] = {{"ignore", ChecksumMode::kIgnore},
                                              {"count", ChecksumMode::kCount},
                                              {"drop", ChecksumMode::kDrop}};
constexpr Named<StreamHoles> kStreamHoles[] = {{"zero", StreamHoles::kZero},
                                               {"join", StreamHoles::kJoin}};
constexpr Named<bool> kSwitch[] = {{"yes", true}, {"no", false}};

template <typename Value>
std::string NamesOf(std::span<const Named<Value>> table) {
  std::string names;
  for (const auto& entry : table) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", std::string(entry.name));
  }
  return names;
}

template <typename Value>
absl::StatusOr<Value> FindIn(std::span<const Named<Value>> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& entry) { return entry.name == name; });
  if (found != table.end()) return found->value;
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is none of: %s", name, NamesOf<Value>(table)));
}

template <typename Value, size_t kCount>
absl::StatusOr<Value> Find(const Named<Value> (&table)[kCount], std::string_view name) {
  return FindIn<Value>(table, name);
}

absl::Status SetTimeout(std::string_view name, std::string_view value, Timeouts& timeouts,
                        int64_t& hole_ns) {
  auto duration_ns = ParseDuration(value);
  if (!duration_ns.ok()) return duration_ns.status();
  const int64_t timeout_ns = std::min(*duration_ns, kLongestTimeoutNs);
  if (name == "hole" || name == "all") hole_ns = timeout_ns;
  if (name == "hole") return absl::OkStatus();
  if (name == "all") {
    for (const auto& entry : kTimeouts) {
      if (entry.value != &Timeouts::active) timeouts.*entry.value = timeout_ns;
    }
    return absl::OkStatus();
  }
  const auto field = Find(kTimeouts, name);
  if (!field.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(field.status().message()), ", hole, all"));
  }
  if (timeout_ns == 0 && *field != &Timeouts::active) {
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s=0' would end each flow at once: write a time such as 1ms", name));
  }
  timeouts.*(*field) = timeout_ns;
  return absl::OkStatus();
}

absl::StatusOr<uint8_t> ParseIgnored(std::string_view text) {
  uint8_t ignored = 0;
  for (size_t start = 0; start <= text.size();) {
    const size_t plus = std::min(text.find('+', start), text.size());
    const auto bit = Find(kIgnored, text.substr(start, plus - start));
    if (!bit.ok()) return bit.status();
    ignored |= *bit;
    start = plus + 1;
  }
  return ignored;
}

absl::Status SetDepth(std::string_view value, DedupOptions& options) {
  constexpr uint32_t kDeepest = 100'000'000;
  const auto depth = ParseCount(value);
  if (!depth.ok()) return depth.status();
  if (*depth == 0 || *depth > kDeepest) {
    return absl::InvalidArgumentError(
        absl::StrFormat("depth=%s: from 1 to %d frames are possible", value, kDeepest));
  }
  options.depth = static_cast<uint32_t>(*depth);
  return absl::OkStatus();
}

template <typename Value>
absl::Status Assign(const absl::StatusOr<Value>& from, Value& to) {
  if (from.ok()) to = *from;
  return from.status();
}

absl::Status SetDedup(std::string_view name, std::string_view value, DedupOptions& options) {
  if (name == "window") return Assign(ParseDuration(value), options.window_ns);
  if (name == "depth") return SetDepth(value, options);
  if (options.mode == DedupMode::kContent) {
    if (name == "ignore") return Assign(ParseIgnored(value), options.ignore);
    if (name == "refresh") return Assign(Find(kSwitch, value), options.refresh);
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s' is none of: window, depth, ignore, refresh", name));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is none of: window, depth (the rest is for content)", name));
}

absl::StatusOr<DedupMode> ParseMode(std::string_view text) {
  static constexpr Named<DedupMode> kModes[] = {{"off", DedupMode::kOff},
                                                {"loopback", DedupMode::kLoopback},
                                                {"content", DedupMode::kContent}};
  return Find(kModes, text);
}

}  // namespace

absl::Status ApplyTimeouts(std::string_view text, Timeouts& timeouts, int64_t& hole_ns) {
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  for (const bool all : {true, false}) {
    for (const std::string_view part : *parts) {
      const auto pair = SplitPair(part);
      if ((pair.first == "all") != all) continue;
      absl::Status status = SetTimeout(pair.first, pair.second, timeouts, hole_ns);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<DedupOptions> ParseDedup(std::string_view text) {
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  const auto mode = ParseMode(parts->front());
  if (!mode.ok()) return mode.status();
  DedupOptions options;
  options.mode = *mode;
  if (*mode == DedupMode::kOff && parts->size() > 1) {
    return absl::InvalidArgumentError("'off' takes nothing behind it");
  }
  for (size_t i = 1; i < parts->size(); ++i) {
    const auto pair = SplitPair((*parts)[i]);
    if (auto status = SetDedup(pair.first, pair.second, options); !status.ok()) return status;
  }
  return options;
}

absl::StatusOr<uint32_t> ParseKeyParts(std::string_view text) {
  const auto names = ParseList(text);
  if (!names.ok()) return names.status();
  uint32_t parts = 0;
  for (const std::string_view name : *names) {
    const auto part = Find(kKeyParts, name);
    if (!part.ok()) return part.status();
    parts |= *part;
  }
  return parts;
}

absl::StatusOr<KeyKind> ParseKeyKind(std::string_view text) { return Find(kKeyKinds, text); }

absl::StatusOr<CountBy> ParseCountBy(std::string_view text) { return Find(kCountBy, text); }

absl::StatusOr<CaptureDirection> ParseDirection(std::string_view text) {
  return Find(kDirections, text);
}

absl::StatusOr<Overload> ParseOverload(std::string_view text) { return Find(kOverloads, text); }

absl::StatusOr<int> ParseShards(std::string_view text) {
  if (text == "auto") return 0;
  int shards = 0;
  if (absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &shards) && shards >= 1 &&
      shards <= kMostFanoutSockets) {
    return shards;
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is neither auto nor a number from 1 to %d", text, kMostFanoutSockets));
}

absl::StatusOr<FanoutOptions> ParseFanout(std::string_view text) {
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  FanoutOptions fanout;
  std::vector<Named<FanoutMode>> modes;
  for (const FanoutMode mode : kFanoutModes) modes.push_back({FanoutModeName(mode), mode});
  const auto mode = FindIn<FanoutMode>(modes, parts->front());
  if (!mode.ok()) return mode.status();
  fanout.mode = *mode;
  for (const std::string_view part : std::span(*parts).subspan(1)) {
    const auto flag = Find(kFanoutFlags, part);
    if (!flag.ok()) return flag.status();
    fanout.*(*flag) = true;
  }
  if (auto status = CheckFanout(fanout, 1); !status.ok()) return status;
  return fanout;
}

absl::StatusOr<Backend> ParseBackend(std::string_view text) { return Find(kBackends, text); }

absl::StatusOr<std::optional<XdpMode>> ParseXdpMode(std::string_view text) {
  return Find(kXdpModes, text);
}

absl::StatusOr<std::vector<std::string>> ParseInterface(std::string_view text) {
  constexpr size_t kMostLegs = 2;
  std::vector<std::string> legs = absl::StrSplit(absl::string_view(text.data(), text.size()), '+');
  const bool empty =
      std::any_of(legs.begin(), legs.end(), [](const auto& leg) { return leg.empty(); });
  if (!empty && legs.size() <= kMostLegs) return legs;
  return absl::InvalidArgumentError(absl::StrFormat(
      "'%s' is neither an interface (eth0) nor the two legs of a TAP (eth0+eth1)", text));
}

absl::StatusOr<ChecksumMode> ParseChecksum(std::string_view text) { return Find(kChecksums, text); }

absl::StatusOr<OverlapPolicy> ParseOverlap(std::string_view text) {
  if (const auto policy = OverlapPolicyOf(text)) return *policy;
  const std::vector<std::string> names(kOverlapPolicyNames.begin(), kOverlapPolicyNames.end());
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is none of: %s", text, absl::StrJoin(names, ", ")));
}

absl::StatusOr<StreamHoles> ParseStreamHoles(std::string_view text) {
  return Find(kStreamHoles, text);
}

}  // namespace weir
