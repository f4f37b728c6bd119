#include <array>

#include "engine/flow/flow_counters.h"
#include "engine/flow/record.h"

namespace weir {
namespace {
constexpr std::array<std::string_view, static_cast<size_t>(FlowState::kCount)> kStateNames = {
    "new", "syn_sent", "syn_received", "established", "half_closed", "closing", "closed", "reset"};
constexpr std::array<std::string_view, static_cast<size_t>(FlowEnd::kCount)> kEndNames = {
    "none", "fin", "rst", "idle", "evicted", "active", "end"};
constexpr std::array<std::string_view, kEvictedKinds> kEvictedNames = {"half_open", "unanswered",
                                                                       "finished", "answered"};
}  // namespace

std::string_view Name(FlowState state) { return kStateNames[static_cast<size_t>(state)]; }
std::string_view Name(Evicted kind) { return kEvictedNames[static_cast<size_t>(kind)]; }
std::string_view Name(FlowEnd end) { return kEndNames[static_cast<size_t>(end)]; }

}  // namespace weir
