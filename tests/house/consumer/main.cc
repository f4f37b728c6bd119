// Uses an installed weir: the core (a ledger) and the EVE exporter's Community ID.
#include <cstdio>

#include "engine/export/community_id.h"
#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"

int main() {
  weir::Ledger ledger;
  ledger.received = ledger.not_ip = 1;
  weir::FlowKey key;
  key.family = weir::AddressFamily::kIpv4;
  key.protocol = weir::ip_protocol::kTcp;
  const weir::CommunityId id = weir::CommunityIdOf(key, 0, 0);
  std::printf("balanced %d, id %s\n", ledger.Balanced(), id.text.data());
  return ledger.Balanced() && id.view().starts_with("1:") ? 0 : 1;
}
