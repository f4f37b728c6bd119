// What the doctor is asked: an interface, and what weir would be run with on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/backend.h"
#include "rings/filter_rules.h"
#include "rings/packet_fanout.h"

namespace weir::doctor {

struct DoctorOptions {
  std::string interface;
  Backend backend = Backend::kAuto;
  FanoutMode fanout = FanoutMode::kEbpf;
  int shards = 0;          // 0: one for each receive queue, at most one for each processor
  uint32_t ring_mib = 32;  // of each shard
  std::string filter;      // in tcpdump's language; empty: none
  std::shared_ptr<const FilterRules> rules;  // null: none
  int64_t sample_ns = 2'000'000'000;
};

}  // namespace weir::doctor
