#include "tools/weir/busy_flows.h"

#include <algorithm>

namespace weir {
namespace {

bool Busier(const BusyFlow& a, const BusyFlow& b) { return a.fresh > b.fresh; }

}  // namespace

void KeepBusiest(std::vector<BusyFlow>& flows, size_t most) {
  std::sort(flows.begin(), flows.end(), Busier);
  if (flows.size() > most) flows.resize(most);
}

std::vector<BusyFlow> RankFlows(FlowTracker& flows, size_t most) {
  std::vector<BusyFlow> busy;
  FlowRecord record;
  flows.ForEach([&](FlowHandle handle) {
    if (!flows.Read(handle, record)) return;
    const uint64_t bytes = record.bytes[0] + record.bytes[1];
    const uint64_t fresh = bytes - record.user;
    *flows.User(handle) = bytes;
    if (fresh == 0 || (busy.size() == most && fresh <= busy.front().fresh)) return;
    if (busy.size() == most) {
      std::pop_heap(busy.begin(), busy.end(), Busier);
      busy.pop_back();
    }
    busy.push_back({record, fresh});
    std::push_heap(busy.begin(), busy.end(), Busier);
  });
  KeepBusiest(busy, most);
  return busy;
}

}  // namespace weir
