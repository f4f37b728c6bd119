// The tunnel identity of a flow as JSON. Internal to engine/export.
#pragma once

#include "engine/export/json_line.h"
#include "engine/packet/tunnel_path.h"

namespace weir {

// "tunnel":[{"vlan":100},{"outer":["10.0.0.1","10.0.0.2"]},{"vni":5000}]: the elements of the key,
// outermost first. Nothing where the path is empty.
void WriteTunnel(JsonLine& line, const TunnelPath& path);

}  // namespace weir
