// Nanoseconds to write one flow record as EVE JSON, Community ID included.
#include <benchmark/benchmark.h>

#include <cstring>

#include "engine/export/community_id.h"
#include "engine/export/eve_writer.h"

namespace weir {
namespace {

FlowRecord TcpRecord(AddressFamily family) {
  FlowRecord record;
  record.flow_id = 123'456'789;
  record.key.family = family;
  record.key.protocol = ip_protocol::kTcp;
  record.key.source = {0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 1, 2};
  record.key.destination = {0x20, 1, 13, 0xb8, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 3, 4};
  record.key.source_port = 40000;
  record.key.destination_port = 443;
  record.packets = {1234, 5678};
  record.bytes = {123'456, 5'678'901};
  record.start_ns = 1'706'702'400'123'456'789;
  record.end_ns = 1'706'702'463'987'654'321;
  record.tcp_flags = {0x1b, 0x1b};
  record.state = FlowState::kClosed;
  record.end = FlowEnd::kFin;
  std::memcpy(record.history.data(), "ShADadFf", 8);
  return record;
}

void EveRecord(benchmark::State& state, AddressFamily family) {
  EveWriter writer({"eth0", "", 0});
  FlowRecord record = TcpRecord(family);
  for (auto _ : state) {
    record.key.source_port++;
    record.start_ns += 1'000'000;
    record.end_ns += 1'000'000;
    writer.Append(record);
    if (writer.text().size() > 64 * 1024) writer.Clear();
  }
}
BENCHMARK_CAPTURE(EveRecord, Ipv4, AddressFamily::kIpv4);
BENCHMARK_CAPTURE(EveRecord, Ipv6, AddressFamily::kIpv6);

void CommunityIdAlone(benchmark::State& state) {
  FlowRecord record = TcpRecord(AddressFamily::kIpv4);
  for (auto _ : state) {
    record.key.source_port++;
    benchmark::DoNotOptimize(CommunityIdOf(record.key, 0, 0));
  }
}
BENCHMARK(CommunityIdAlone);

}  // namespace
}  // namespace weir
