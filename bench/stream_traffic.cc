#include "bench/stream_traffic.h"

#include <algorithm>
#include <utility>

#include "bench/trace.h"

namespace weir::bench {
namespace {

constexpr size_t kStride = 1536;  // bytes of memory of each frame
constexpr uint32_t kSegment = 1448, kRequest = 300, kResponse = 1000;

uint32_t FlowsOf(StreamShape shape) {
  const uint32_t flows = shape == StreamShape::kShort ? 100'000 : 1'000;
  return SmallRun() ? flows / 100 : flows;
}

int64_t StepNs(StreamShape shape) { return shape == StreamShape::kShort ? 20'000 : 100; }

}  // namespace

StreamTraffic::StreamTraffic(StreamShape shape, ChecksumStatus status)
    : shape_(shape), flows_(FlowsOf(shape)), bytes_(kStride * kMostFrames), frames_(kMostFrames) {
  for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random_());
  for (Frame& frame : frames_) frame.checksum = status;
  for (Flow& flow : flows_) Start(flow);
}

void StreamTraffic::Start(Flow& flow) {
  flow = Flow{};
  flow.identity = next_identity_++;
  flow.next = {static_cast<uint32_t>(random_()), static_cast<uint32_t>(random_())};
}

// The sequence number of the next segment of a flow: one that was displaced and whose time has
// come, else the next in order that is not displaced.
uint32_t StreamTraffic::NextSegment(Flow& flow) {
  const auto end = flow.displaced.begin() + flow.displaced_count;
  const auto due = std::find_if(flow.displaced.begin(), end,
                                [&](const Displaced& d) { return d.due == flow.sent; });
  if (due != end) {
    const uint32_t sequence = due->sequence;
    std::copy(due + 1, end, due);
    --flow.displaced_count;
    for (Displaced& d : std::span(flow.displaced).first(flow.displaced_count))
      d.due += d.due == flow.sent;  // two in one place: the other one comes next
    ++flow.sent;
    return sequence;
  }
  while (shape_ == StreamShape::kDisplaced && flow.displaced_count < kMostDisplaced &&
         random_() % 20 == 0) {
    flow.displaced[flow.displaced_count++] = {std::exchange(flow.next[0], flow.next[0] + kSegment),
                                              flow.sent + 1 + static_cast<uint32_t>(random_() % 8)};
  }
  ++flow.sent;
  return std::exchange(flow.next[0], flow.next[0] + kSegment);
}

void StreamTraffic::WriteNext(uint32_t number, uint8_t* bytes, Frame& frame) {
  Flow& flow = flows_[number];
  const bool short_flow = shape_ == StreamShape::kShort;
  SegmentFields segment{.identity = flow.identity, .number = number};
  segment.from_server = flow.step == 1 || (short_flow && flow.step == 3);
  segment.sequence = flow.next[segment.from_server];
  segment.acknowledgement = flow.next[!segment.from_server];
  segment.flags = tcp_flag::kAck;
  switch (flow.step) {
    case 0:
      segment.flags = tcp_flag::kSyn;
      segment.acknowledgement = 0;
      break;
    case 1:
      segment.flags |= tcp_flag::kSyn;
      break;
    case 2:
    case 3:
      if (!short_flow) break;
      segment.flags |= tcp_flag::kFin | tcp_flag::kPsh;
      segment.payload = flow.step == 2 ? kRequest : kResponse;
      break;
  }
  if (!short_flow && flow.step >= 2) {
    segment.payload = kSegment;
    segment.sequence = NextSegment(flow);
  } else {
    const bool counts = (segment.flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
    flow.next[segment.from_server] += segment.payload + counts;
  }
  WriteHeaders(bytes, segment);
  frame.data = bytes;
  frame.captured_length = frame.wire_length = kHeaderBytes + segment.payload;
  frame.timestamp_ns = time_ns_;
  time_ns_ += StepNs(shape_);
  ++flow.step;
  if (short_flow && flow.step == 5) Start(flow);
}

std::span<const Frame> StreamTraffic::Make(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    WriteNext(static_cast<uint32_t>(random_() % flows_.size()), &bytes_[i * kStride], frames_[i]);
  }
  return std::span(frames_).first(count);
}

void StreamTraffic::Refill(MemorySource& source) {
  for (;;) {
    if (pending_.empty()) pending_ = Make(kMostFrames);
    const size_t taken = source.Refill(pending_);
    for (const Frame& frame : pending_.first(taken))
      payload_bytes_ += frame.captured_length - kHeaderBytes;
    pending_ = pending_.subspan(taken);
    if (!pending_.empty()) return;
  }
}

}  // namespace weir::bench
