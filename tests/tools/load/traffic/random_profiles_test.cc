// Profiles that nobody would think of: every knob at random. WEIR_TRAFFIC_FIRST and
// WEIR_TRAFFIC_COUNT choose which ones, and how many.
#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/load/traffic/engine_run.h"
#include "tools/load/traffic/random.h"

namespace weir::load {
namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint32_t From(uint32_t least, uint32_t most) { return least + random_.Below(most - least + 1); }
  bool Half() { return random_.Below(2) != 0; }
  // 0 as often as not.
  double Share(double most) { return Half() ? 0 : most * random_.Below(1'000) / 1'000; }

 private:
  Random random_;
};

std::vector<SizeShare> Sizes(Dice& dice) {
  std::vector<SizeShare> sizes;
  for (uint32_t i = dice.From(1, 3); i != 0; --i) {
    const uint32_t most[] = {20, 200, 1'448, 9'000};
    sizes.push_back({dice.From(0, most[dice.From(0, 3)]), dice.From(1, 10)});
  }
  return sizes;
}

TrafficProfile RandomProfile(uint64_t seed) {
  Dice dice(seed);
  TrafficProfile profile = {.seed = seed, .packets = dice.From(1, 6'000)};
  profile.flows = dice.From(1, dice.Half() ? 10 : 300);
  profile.popularity = static_cast<Popularity>(dice.From(0, 2));
  profile.zipf_exponent = dice.From(0, 20) / 10.0;
  profile.flow_packets = dice.Half() ? 0 : dice.From(14, 80);
  profile.udp = dice.Share(0.5);
  profile.icmp = dice.Share(0.5);
  profile.ipv6 = dice.Share(1);
  for (uint32_t i = dice.From(0, 3); i != 0; --i) {
    profile.vlans.push_back(static_cast<uint16_t>(dice.From(0, 4'094)));
  }
  for (uint32_t i = dice.From(0, 3); i != 0; --i) {
    profile.tunnels.push_back(static_cast<TunnelKind>(dice.From(0, 3)));
  }
  profile.handshake = dice.Half();
  profile.from_server = dice.From(0, 10) / 10.0;
  profile.ack_every = dice.From(0, 5);
  profile.reset = dice.Share(1);
  profile.sizes = Sizes(dice);
  profile.size_unit = dice.Half() ? SizeUnit::kPayload : SizeUnit::kFrame;
  profile.reorder = dice.Share(0.5);
  profile.reorder_distance = dice.From(1, 40);
  profile.duplicate = dice.Share(0.3);
  profile.loss = dice.Share(0.5);
  profile.overlap = dice.Share(0.5);
  profile.fragment = dice.Share(0.5);
  profile.syn_flood = dice.Share(0.3);
  profile.fragment_flood = dice.Share(0.3);
  profile.collision_flood = dice.Share(0.3);
  profile.probe_every = dice.Half() ? 0 : dice.From(1, 100);
  profile.gap_ns = dice.Half() ? 1'000 : dice.From(0, 400'000);
  return profile;
}

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RandomProfilesTest, TheTruthIsFound) {
  const uint64_t first = Setting("WEIR_TRAFFIC_FIRST", 1),
                 count = Setting("WEIR_TRAFFIC_COUNT", 20);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE(::testing::Message() << "WEIR_TRAFFIC_FIRST=" << seed);
    RunAndExpectTruth(RandomProfile(seed));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::load
