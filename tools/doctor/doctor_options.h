// What the doctor is asked: an interface, and what weir would be run with on it.
#pragma once

#include <cstdint>
#include <string>

#include "rings/packet_fanout.h"

namespace weir::doctor {

enum class Way : uint8_t { kAuto, kPacket, kXdp };

struct DoctorOptions {
  std::string interface;
  Way way = Way::kAuto;
  FanoutMode fanout = FanoutMode::kEbpf;
  int shards = 0;          // 0: one for each receive queue, at most one for each processor
  uint32_t ring_mib = 32;  // of each shard
  int64_t sample_ns = 2'000'000'000;
};

}  // namespace weir::doctor
