#include "engine/stats/top_talkers.h"

#include <algorithm>

namespace weir {
namespace {

bool Larger(const Talker& a, const Talker& b) {
  if (a.bytes() != b.bytes()) return a.bytes() > b.bytes();
  return a.address < b.address;
}

}  // namespace

void TopTalkers::Add(const Talker& more) {
  if (talkers_.size() >= capacity_ && !talkers_.contains(Address{more.family, more.address})) {
    ForgetSmallerHalf();
  }
  Talker& talker = talkers_[Address{more.family, more.address}];
  talker.family = more.family;
  talker.address = more.address;
  talker.flows += more.flows;
  talker.sent_packets += more.sent_packets;
  talker.sent_bytes += more.sent_bytes;
  talker.received_packets += more.received_packets;
  talker.received_bytes += more.received_bytes;
}

std::vector<Talker> TopTalkers::Top(size_t count) const {
  std::vector<Talker> top;
  top.reserve(talkers_.size());
  for (const auto& entry : talkers_) top.push_back(entry.second);
  count = std::min(count, top.size());
  std::partial_sort(top.begin(), top.begin() + static_cast<ptrdiff_t>(count), top.end(), Larger);
  top.resize(count);
  return top;
}

void TopTalkers::ForgetSmallerHalf() {
  std::vector<uint64_t> sizes;
  sizes.reserve(talkers_.size());
  for (const auto& entry : talkers_) sizes.push_back(entry.second.bytes());
  const auto middle = sizes.begin() + static_cast<ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const uint64_t threshold = *middle;
  missed_bytes_ += threshold;
  absl::erase_if(talkers_, [&](const auto& entry) { return entry.second.bytes() <= threshold; });
}

}  // namespace weir
