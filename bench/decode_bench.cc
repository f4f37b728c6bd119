// Decoding alone: nanoseconds per packet of whole batches, the frames' bytes warm.
#include <benchmark/benchmark.h>

#include <vector>

#include "engine/packet/decoder.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::PacketBuilder;

// One batch of frames that differ in their ports.
class Batch {
 public:
  explicit Batch(Bytes (*build)(uint16_t port)) : packets(kBatchFrames), paths(kBatchFrames) {
    for (int i = 0; i < kBatchFrames; ++i)
      bytes_.push_back(build(static_cast<uint16_t>(20'000 + i)));
    for (const Bytes& bytes : bytes_) frames.push_back(test::AsFrame(bytes));
  }

  std::vector<Frame> frames;
  std::vector<Packet> packets;
  std::vector<TunnelPath> paths;

 private:
  std::vector<Bytes> bytes_;
};

void Decode(benchmark::State& state, Bytes (*build)(uint16_t port)) {
  Batch batch(build);
  const Decoder decoder;
  for (auto _ : state) {
    decoder.DecodeBatch(batch.frames, batch.packets, batch.paths);
    benchmark::DoNotOptimize(batch.packets.data());
    benchmark::ClobberMemory();
  }
  state.counters["ns/packet"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kBatchFrames * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

PacketBuilder Outer() { return PacketBuilder().Ethernet(); }

Bytes Tcp64(uint16_t port) {
  return Outer().Ipv4("10.0.0.1", "10.0.0.2").Tcp(port, 80).Padding(6).Build();
}
Bytes Udp64(uint16_t port) {
  return Outer().Ipv4("10.0.0.1", "10.0.0.2").Udp(port, 53).Payload(18).Build();
}
Bytes Vlan(uint16_t port) {
  return Outer().Vlan(7).Ipv4("10.0.0.1", "10.0.0.2").Tcp(port, 80).Build();
}
Bytes Ipv6(uint16_t port) {
  return Outer().Ipv6("2001:db8::1", "2001:db8::2").Tcp(port, 80).Build();
}
Bytes Vxlan(uint16_t port) {
  return Outer()
      .Ipv4("192.0.2.1", "192.0.2.2")
      .Udp(port, 4789)
      .Vxlan(5)
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Tcp(port, 80)
      .Build();
}

BENCHMARK_CAPTURE(Decode, tcp_64, Tcp64);
BENCHMARK_CAPTURE(Decode, udp_64, Udp64);
BENCHMARK_CAPTURE(Decode, vlan, Vlan);
BENCHMARK_CAPTURE(Decode, ipv6, Ipv6);
BENCHMARK_CAPTURE(Decode, vxlan, Vxlan);

}  // namespace
}  // namespace weir
