#include "engine/backend.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

BackendRung RungOf(FilterRung rung) {
  return rung == FilterRung::kEbpf      ? BackendRung::kPacketEbpf
         : rung == FilterRung::kClassic ? BackendRung::kPacketClassic
                                        : BackendRung::kPacketShard;
}

// Null: none of them has anything to do.
const KernelFilter* Lowest(std::span<const std::shared_ptr<KernelFilter>> filters) {
  const KernelFilter* lowest = nullptr;
  for (const auto& filter : filters) {
    if (!filter->selects()) continue;
    if (lowest == nullptr || LowestRung(*filter) > LowestRung(*lowest)) lowest = filter.get();
  }
  return lowest;
}

}  // namespace

std::string_view BackendRungName(BackendRung rung) {
  switch (rung) {
    case BackendRung::kXdpZeroCopy:
      return "AF_XDP zero-copy";
    case BackendRung::kXdpCopy:
      return "AF_XDP copy";
    case BackendRung::kXdpGeneric:
      return "AF_XDP generic";
    case BackendRung::kPacketEbpf:
      return "AF_PACKET with eBPF filter";
    case BackendRung::kPacketClassic:
      return "AF_PACKET with classic BPF";
    case BackendRung::kPacketShard:
      return "AF_PACKET, filters in the shard";
    case BackendRung::kPacket:
      return "AF_PACKET";
  }
  return "";
}

// Rungs that were refused for the same reason share it.
std::string BackendChoice::Refusals() const {
  std::string text;
  for (size_t i = 0; i < refused.size(); ++i) {
    const bool same = i + 1 < refused.size() && refused[i + 1].reason == refused[i].reason;
    absl::StrAppend(&text, std::string(BackendRungName(refused[i].rung)));
    if (same) {
      absl::StrAppend(&text, ", ");
    } else {
      absl::StrAppend(&text, ": ", refused[i].reason, i + 1 < refused.size() ? "; " : "");
    }
  }
  return text;
}

std::string BackendChoice::Way() const {
  return absl::StrCat(std::string(BackendRungName(rung)), rules_in_xdp ? ", rules in XDP" : "",
                      expression_in_shard ? ", --filter in the shard" : "");
}

std::string BackendChoice::Text() const {
  const std::string refusals = Refusals();
  return absl::StrCat(interface, ": ", Way(),
                      refusals.empty() ? "" : absl::StrCat(" (not ", refusals, ")"));
}

BackendRung BackendChoice::StandsOn(std::span<const std::shared_ptr<KernelFilter>> filters) const {
  if (rung < BackendRung::kPacketEbpf) return rung;
  const KernelFilter* const lowest = Lowest(filters);
  return lowest == nullptr ? BackendRung::kPacket : RungOf(LowestRung(*lowest));
}

void BackendChoice::Stand(std::span<const std::shared_ptr<KernelFilter>> filters) {
  rung = StandsOn(filters);
  std::erase_if(refused, [](const Refusal& one) { return one.rung >= BackendRung::kPacketEbpf; });
  const KernelFilter* const lowest = Lowest(filters);
  if (rung < BackendRung::kPacketEbpf || lowest == nullptr) return;
  for (FilterRefusal& one : lowest->refused()) {
    if (RungOf(one.rung) < rung) refused.push_back({RungOf(one.rung), std::move(one.reason)});
  }
}

}  // namespace weir
