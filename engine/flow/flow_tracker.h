// Packets in, flows out: finds or makes each packet's flow, counts it, follows TCP, ends what is
// over.
//
// Usable alone on decoded packets, or inside a Shard. Thread: one. Memory: everything is taken in
// Create (MemoryBytes says how much); a full table evicts, it never grows.
//
// Time is an argument: packet time stamps drive the flow clock, AdvanceTo moves it while the wire
// is silent. A flow whose deadline has passed ends before the packet that finds it so is counted,
// whether or not Expire was called: results do not depend on batches.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "engine/flow/event_buffer.h"
#include "engine/flow/flow_clock.h"
#include "engine/flow/flow_counters.h"
#include "engine/flow/flow_hash.h"
#include "engine/flow/flow_table.h"
#include "engine/flow/flow_timers.h"
#include "engine/flow/interval_deltas.h"
#include "engine/flow/options.h"
#include "engine/flow/tunnel_table.h"
#include "engine/packet/arena.h"

namespace weir {

class FlowStreams;

class FlowTracker {
 public:
  static absl::StatusOr<std::unique_ptr<FlowTracker>> Create(const FlowOptions& options);
  // What Create will take, in bytes, the 4 KiB page rounding included.
  static size_t MemoryBytes(const FlowOptions& options);
  ~FlowTracker();

  // Tracks every packet whose verdict is kTracked (and, with KeyKind::kMacPair, every one that has
  // MAC addresses: it becomes kTracked). A packet that finds no room for its tunnel identity
  // becomes Verdict::kShed. At most kBatchFrames packets; the spans have equal sizes. `events` must
  // have been cleared since the last call.
  void Track(std::span<const Frame> frames, std::span<Packet> packets, EventBuffer& events);

  // From the next batch on refuses packets of flows that are not in the table, where the flow's
  // hash falls into this part of 2^32: they become Verdict::kShed (Shed::kOverload). 0: none, the
  // default; 2^32: all. Flows in the table stay.
  void RefuseNew(uint64_t part) { refused_hashes_ = part; }

  // Each packet that is tracked is counted in `deltas`, too, from here on; null: no more. Between
  // batches; `deltas` is empty, and borrowed until the next call. O(1).
  void CountInto(IntervalDeltas* deltas);

  // The events of the last batch were read: frees what they point at. Before each Track or Expire
  // whose events start anew.
  void Release();

  // Moves the flow clock to `time_ns` (a time stamp); never back.
  void AdvanceTo(int64_t time_ns) { clock_.AdvanceTo(time_ns); }

  // Ends flows whose deadline has passed, as many as `events` has room for. True: there may be
  // more.
  bool Expire(EventBuffer& events);

  // Ends every flow that is left (FlowEnd::kEnd, or fin, rst where it was over). True: there may be
  // more, call again with room in `events`.
  bool Flush(EventBuffer& events);

  // Earliest time stamp at which Expire may have something to do; INT64_MAX when there is no flow.
  int64_t NextExpiry() const;
  int64_t time_ns() const { return clock_.ToTimestamp(clock_.now_ns()); }

  // Live flows, between batches. A handle that no longer names a live flow gives false or nothing.
  std::optional<FlowHandle> Lookup(const FlowKey& key) const;
  std::optional<uint32_t> TunnelOf(const TunnelPath& path) const { return tunnels_->Find(path); }
  bool Read(FlowHandle flow, FlowRecord& record) const;
  // Counted, no longer reassembled, no packet events. What a stream missed it does not get back.
  bool Bypass(FlowHandle flow, bool bypass);
  uint64_t* User(FlowHandle flow);  // valid until the flow ends
  // Ends the flow; the final record (FlowEnd::kNone) goes to the caller, no event is reported.
  std::optional<FlowRecord> End(FlowHandle flow);

  // Streams, between batches. `direction` as in events. False: no such flow, or see below.
  // No more of this stream: what waits and what comes is Refused::kStopped.
  bool StopStream(FlowHandle flow, int direction);
  // Only the first `depth` bytes of the stream; where there were more already it ends now, and no
  // event says so. False too when there is no room for its state.
  bool LimitDepth(FlowHandle flow, int direction, uint64_t depth);
  // The last `size` bytes of a kStreamData event stand at the front of the stream's next one
  // (Event::kept of them), unless a hole comes between. Call it for the stream's latest event,
  // before the next batch. False too when `size` exceeds the event's or Reassembler::kMostKept, or
  // memory is short.
  bool Keep(const Event& event, uint32_t size);

  template <typename Function>  // void(FlowHandle)
  void ForEach(Function function) const {
    for (uint32_t slot = 0; slot < table_->slots(); ++slot) {
      if (table_->used(slot)) function(HandleOf(slot));
    }
  }

  const FlowCounters& counters() const { return counters_; }
  uint32_t alive() const { return table_->size(); }
  uint32_t capacity() const { return table_->capacity(); }
  uint32_t tunnels_in_use() const { return tunnels_->entries_in_use(); }
  // Of all streams; zeros when they are not reassembled.
  StreamCounters stream_counters() const;
  // What EventBuffer is made with.
  size_t MostStreamEvents() const;
  uint64_t time_regressions() const { return clock_.regressions(); }
  size_t memory_bytes() const { return arena_.size(); }
  // Packets of all live flows: O(table).
  uint64_t AlivePackets() const;

 private:
  struct Interval;  // counters at the last interim record: only with an active time-out
  struct Batch;     // keys and guesses of one batch
  struct SteadyRules;
  SteadyRules RulesOfSteady() const;

  FlowTracker(const FlowOptions& options, Arena arena);

  void PrepareBatch(std::span<const Frame> frames, std::span<Packet> packets);
  void PrepareKeys(std::span<const Frame> frames, std::span<Packet> packets, size_t begin,
                   size_t end);
  void GuessSlots(std::span<const Packet> packets, size_t begin, size_t end);
  void GuessOne(const FlowTable& table, const Packet& packet, size_t i);
  bool AcquireTunnel(const Frame& frame, Packet& packet, uint32_t* id);
  bool PrepareOdd(const Frame& frame, Packet& packet, PreparedKey& key);
  void TrackPlain(std::span<const Frame> frames, std::span<Packet> packets, EventBuffer& events);
  void TrackWatched(std::span<const Frame> frames, std::span<Packet> packets, EventBuffer& events);
  template <bool kStreams, bool kCounted>
  void TrackWatchedAs(std::span<const Frame> frames, std::span<Packet> packets,
                      EventBuffer& events);
  bool TrackSteady(const SteadyRules& rules, FlowTable& table, uint32_t slot, const Packet& packet,
                   const PreparedKey& key, int64_t now_ns);
  template <bool kPlain>
  static bool TrackSteadyAs(const SteadyRules& rules, FlowTable& table, uint32_t slot,
                            const Packet& packet, const PreparedKey& key, int64_t now_ns);
  bool TrackOtherSteady(uint32_t slot, const Packet& packet, const PreparedKey& key,
                        int64_t now_ns);
  void TrackOne(const Frame& frame, Packet& packet, const PreparedKey& key, uint32_t guess,
                int64_t time_ns, EventBuffer& events);
  bool CountSteady(FlowHot& hot, const Packet& packet, const PreparedKey& key,
                   int64_t time_ns) const;
  void TrackAny(const Frame& frame, Packet& packet, const PreparedKey& key, uint32_t found,
                int64_t time_ns, EventBuffer& events);
  bool Refuses(uint64_t hash) const { return (hash >> 32 & UINT32_MAX) < refused_hashes_; }
  uint32_t FindOrStart(const Packet& packet, const PreparedKey& key, uint32_t found, bool* fresh,
                       EventBuffer& events);
  void RefuseBadChecksum(Packet& packet);
  void PrefetchStream(const FlowTable& table, size_t i) const;
  void PrefetchEarly(const FlowTable& table, size_t i, std::span<const Packet> packets) const;
  void StartFlow(uint32_t slot, const Frame& frame, const Packet& packet, int side,
                 int64_t time_ns);
  void Count(uint32_t slot, FlowHot& hot, const Packet& packet, int side);
  void CountDelta(uint32_t slot, FlowHot& hot, const Packet& packet, int side);
  void StartDelta(uint32_t slot, FlowHot& hot, const Packet& packet, int side);
  void PrefetchDelta(size_t i) const;
  void CountUnlisted();
  void Observe(uint32_t slot, FlowHot& hot, int64_t time_ns);
  void NoteLag(uint32_t slot, FlowHot& hot, int64_t behind);
  void NoteAnswer(uint32_t slot, FlowHot& hot, EventBuffer& events);
  void NoteHistory(uint32_t slot, FlowHot& hot, int side, uint8_t fresh);
  void Report(const Frame& frame, const Packet& packet, uint32_t slot, int side,
              EventBuffer& events);
  void EmitPacket(EventKind kind, const Frame& frame, const Packet& packet, uint32_t slot, int side,
                  EventBuffer& events);
  FlowHandle AboutFlow(const Packet& error, uint32_t tunnel);

  void TrackTcpControl(uint32_t slot, FlowHot& hot, const Packet& packet, int side,
                       EventBuffer& events);
  void TrackReset(uint32_t slot, FlowHot& hot, const Packet& packet, int side, bool known,
                  EventBuffer& events);
  void FlipIfMistaken(uint32_t slot, FlowHot& hot, const Packet& packet, int side);
  void LearnSide(uint32_t slot, FlowHot& hot, const Packet& packet, int side);
  void StartTcp(FlowHot& hot, const Packet& packet) const;
  static void NoteAcknowledgement(FlowHot& hot, const Packet& packet, int side);
  bool StartsNewConnection(uint32_t slot, const FlowHot& hot, const Packet& packet, int side) const;
  void SetPhase(uint32_t slot, FlowHot& hot, Phase phase, EventBuffer& events);

  int64_t TimeoutOf(const FlowHot& hot) const;
  bool Expired(uint32_t slot, const FlowHot& hot) const;
  FlowEnd ReasonOf(const FlowHot& hot, FlowEnd otherwise) const;
  void Rearm(uint32_t slot, const FlowHot& hot);
  void PrefetchDue() const;
  void CloseStreams(uint32_t slot, FlowEnd reason, EventBuffer* events);
  void EndFlow(uint32_t slot, FlowEnd reason, EventBuffer& events);
  void EndDisarmed(uint32_t slot, FlowEnd reason, EventBuffer& events);
  void Remove(uint32_t slot);
  void Evict(EventBuffer& events);
  uint32_t PickVictim();
  void InterimIfDue(uint32_t slot, EventBuffer& events);
  void Emit(EventKind kind, uint32_t slot, FlowEnd reason, EventBuffer& events);
  void FillRecord(uint32_t slot, FlowEnd reason, FlowRecord& record) const;

  FlowHandle HandleOf(uint32_t slot) const { return {slot, table_->hot(slot).generation}; }
  bool Valid(FlowHandle flow) const;
  uint64_t PacketsOf(uint32_t slot, int side) const;
  uint64_t BytesOf(uint32_t slot, int side) const;
  int SideOf(FlowHandle flow, int direction) const;

  FlowOptions options_;
  KeyRules rules_;
  WordsHash tcp_hash_{0};  // of IPv4 keys
  WordsHash udp_hash_{0};
  bool plain_ = false;  // keys are five-tuples of both directions, without an extension
  std::array<int64_t, static_cast<size_t>(Phase::kCount)> timeouts_;
  Arena arena_;
  std::optional<FlowTable> table_;
  std::optional<FlowTimers> timers_;
  std::optional<TunnelTable> tunnels_;
  Interval* intervals_ = nullptr;
  FlowClock clock_;
  FlowCounters counters_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<FlowStreams> streams_;  // null: streams are not reassembled
  IntervalDeltas* deltas_ = nullptr;      // null: not counted by interval
  uint8_t refused_flags_ = 0;             // packet_flag: such packets are counted only
  uint64_t refused_hashes_ = 0;           // see RefuseNew
  uint32_t cheap_ = 0;                    // live flows that are evicted first
  uint32_t hand_ = 0;                     // eviction's second-chance hand
  uint32_t flush_ = 0;                    // where Flush goes on
};

}  // namespace weir
