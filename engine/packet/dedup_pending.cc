// Stands in until dedup.cc lands: delete this file then.
#include "engine/packet/dedup.h"

namespace weir {

class Dedup::Impl {
 public:
  DedupCounters counters;
};

Dedup::Dedup(const DedupOptions&) : impl_(std::make_unique<Impl>()) {}
Dedup::~Dedup() = default;
void Dedup::Apply(std::span<const Frame>, std::span<Packet>) {}
const DedupCounters& Dedup::counters() const { return impl_->counters; }

}  // namespace weir
