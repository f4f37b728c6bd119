// Which XDP program stands on an interface. Cold path, any thread; the network namespace is the
// calling thread's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weir {

struct AttachedXdp {
  uint32_t id = 0;
  std::string name;      // empty: the kernel does not tell without the privilege
  bool generic = false;  // else the driver's
  uint32_t link = 0;     // the bpf_link that holds it; 0: none is known
};

// No value: there is none, or the kernel cannot be asked.
std::optional<AttachedXdp> FindAttachedXdp(int interface_index);

}  // namespace weir
