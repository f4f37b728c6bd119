// Where frames come from: one contract for kernel rings, capture files and memory.
//
// Thread: a source belongs to one shard and is used by its thread only. Errors at creation are
// absl::Status (each source has its own factory); later ones end the source and stand in status().
#pragma once

#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "rings/filter_reason.h"
#include "rings/frame.h"

namespace weir {

// What a source counts, in one language for all back-ends. Totals since the source was opened.
// "Unknown" (no value) where the kernel does not tell.
struct SourceCounters {
  uint64_t received = 0;                        // frames handed out by Receive
  std::optional<uint64_t> ring_dropped;         // the kernel had a frame, the ring had no room
  std::optional<uint64_t> ring_freezes;         // times the ring was found full
  std::optional<FilterCounts> kernel_filtered;  // rejected by a filter in the kernel, by reason
  // Passed up to the host by our XDP program, which cannot do without them (AF_XDP; 0 elsewhere).
  uint64_t left_to_host = 0;
  std::optional<uint64_t> nic_missed;  // the device had no buffer
  uint64_t broken_blocks = 0;  // ring blocks whose frame chain pointed outside; 0 but for faults

  std::optional<uint64_t> KernelFilteredTotal() const;

  // The sum over several sources: unknown where one of them does not tell.
  void Add(const SourceCounters& other);
};

inline std::optional<uint64_t> SourceCounters::KernelFilteredTotal() const {
  if (!kernel_filtered) return std::nullopt;
  return std::accumulate(kernel_filtered->begin(), kernel_filtered->end(), uint64_t{0});
}

inline void SourceCounters::Add(const SourceCounters& other) {
  const auto add = [](std::optional<uint64_t>& to, const std::optional<uint64_t>& from) {
    to = to && from ? std::optional(*to + *from) : std::nullopt;
  };
  received += other.received;
  add(ring_dropped, other.ring_dropped);
  add(ring_freezes, other.ring_freezes);
  if (kernel_filtered && other.kernel_filtered) {
    for (size_t i = 0; i < kFilterReasons; ++i)
      (*kernel_filtered)[i] += (*other.kernel_filtered)[i];
  } else {
    kernel_filtered.reset();
  }
  add(nic_missed, other.nic_missed);
  left_to_host += other.left_to_host;
  broken_blocks += other.broken_blocks;
}

// How full a source's ring is, in the units that it gives back at a time (TPACKET_V3: blocks).
struct RingFill {
  uint32_t used = 0;   // filled, and not given back yet
  uint32_t units = 0;  // of the whole ring; 0: the source has none
};

// One interface of a source: a network device, or an interface block of a capture file.
struct SourceInterface {
  std::string name;  // empty where the file does not say
  uint16_t link_type = link_type::kEthernet;
  uint32_t snap_length = 0;  // 0 = unlimited
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;

  // Fills at most frames.size() frames and returns how many; returns at once, 0 when none is ready.
  // The bytes stay valid until Release. May be called again before Release.
  virtual int Receive(std::span<Frame> frames) = 0;

  // Gives everything handed out so far back to the ring.
  virtual void Release() = 0;

  // True when Receive would hand out a frame now. Reads memory only: fit for spinning.
  virtual bool ready() const { return !ended(); }

  // Readable when Receive has something to hand out. -1: the source never makes anyone wait.
  virtual int wait_fd() const { return -1; }

  // CLOCK_REALTIME at which Receive may hand out something without any sign from wait_fd();
  // INT64_MAX: never.
  virtual int64_t next_due_ns() const { return INT64_MAX; }

  // Takes no more frames in. True: what came in before is still handed out, and then the source
  // ends (within hold_back_ns and a moment). False: there is nothing to wait for, the source may be
  // dropped.
  virtual bool StopIntake() { return false; }

  // True when no frame will come any more: end of file, or an error that status() explains.
  virtual bool ended() const = 0;

  // OK, or why the source ended before its end: a damaged file, an interface that went away.
  virtual absl::Status status() const = 0;

  // Reads the kernel's counters (a system call): call it per interval, never per packet.
  virtual SourceCounters Counters() = 0;

  // Reads memory only, a few cold lines of it: call it for some hundred frames, not for each.
  virtual RingFill Fill() const { return {}; }

  virtual std::span<const SourceInterface> interfaces() const = 0;

  // A frame may lie unseen in a block this long (TPACKET_V3's retire time-out). A live shard moves
  // its time on to the clock less this, so that such a frame is never late. 0 for files.
  virtual int64_t hold_back_ns() const { return 0; }
};

}  // namespace weir
