// Stands in until defragmenter.cc lands: delete this file then.
#include "engine/packet/defragmenter.h"

namespace weir {

class Defragmenter::Impl {
 public:
  FragmentCounters counters;
};

Defragmenter::Defragmenter(const DefragmentOptions&, const Decoder&)
    : impl_(std::make_unique<Impl>()) {}
Defragmenter::~Defragmenter() = default;
void Defragmenter::Apply(std::span<const Frame>, std::span<Packet> packets, std::span<TunnelPath>,
                         int64_t) {
  for (const Packet& packet : packets)
    impl_->counters.held += packet.verdict == Verdict::kFragmentHeld;
}
void Defragmenter::Release() {}
void Defragmenter::Expire(int64_t) {}
void Defragmenter::Flush() {
  impl_->counters.dropped[static_cast<size_t>(FragmentDrop::kEnd)] += impl_->counters.held;
  impl_->counters.held = 0;
}
const FragmentCounters& Defragmenter::counters() const { return impl_->counters; }

}  // namespace weir
