#include "tools/load/traffic/traffic_model.h"

#include <algorithm>
#include <utility>

#include "engine/packet/packet.h"
#include "rings/prefetch.h"
#include "tools/load/traffic/datagram_script.h"
#include "tools/load/traffic/displaced_segments.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/flow_picker.h"
#include "tools/load/traffic/frame_buffer.h"
#include "tools/load/traffic/frame_writer.h"
#include "tools/load/traffic/network_writer.h"
#include "tools/load/traffic/open_flow.h"
#include "tools/load/traffic/profile_check.h"
#include "tools/load/traffic/random.h"
#include "tools/load/traffic/tcp_script.h"
#include "tools/load/traffic/transport_writer.h"

namespace weir::load {
namespace {

constexpr uint32_t kFloodFlows = kCollisionFlow - kSynFloodFlow - 1;  // then numbers come again

}  // namespace

class TrafficModel::Impl {
 public:
  explicit Impl(const TrafficProfile& profile);

  std::span<const Frame> Next(size_t count);
  const Truth& truth() const { return truth_; }
  const TrafficProfile& profile() const { return profile_; }

 private:
  void AddPacket();
  bool AddFlood();
  void AddFlowPacket(OpenFlow& flow);
  void AddOwed();
  void AddFrames(OpenFlow& flow, const FlowIdentity& identity, const PacketPlan& plan);
  void AddPieces(OpenFlow& flow, const FlowIdentity& identity, const PacketPlan& plan);
  void AddProbe();
  uint32_t AddFrame(uint32_t bytes);
  void Start(OpenFlow& flow);
  void PrefetchFlows() const;
  // Frames that may still come beyond those that are owed.
  uint64_t spare() const { return profile_.packets - truth_.frames - displaced_.count(); }
  int64_t now_ns() const {
    return profile_.start_ns + static_cast<int64_t>(truth_.frames) * profile_.gap_ns;
  }

  const TrafficProfile profile_;
  const uint64_t duplicate_, fragment_;  // ShareOf32Bits, as are the next
  const uint64_t syn_flood_, fragment_flood_, collision_flood_;
  const bool floods_;
  Truth truth_;
  Random random_;
  FlowPicker picker_;
  DisplacedSegments displaced_;
  TcpScript tcp_;
  DatagramScript datagrams_;
  FrameWriter writer_;
  FrameBuffer buffer_;
  std::vector<OpenFlow> flows_;  // places of open flows
  size_t owing_ = 0;             // places before this one owe nothing more
  uint64_t next_probe_;          // the frame that is the next probe, or the first one that can be
};

TrafficModel::Impl::Impl(const TrafficProfile& profile)
    : profile_(profile),
      duplicate_(ShareOf32Bits(profile.duplicate)),
      fragment_(ShareOf32Bits(profile.fragment)),
      syn_flood_(ShareOf32Bits(profile.syn_flood)),
      fragment_flood_(ShareOf32Bits(profile.fragment_flood)),
      collision_flood_(ShareOf32Bits(profile.collision_flood)),
      floods_((syn_flood_ | fragment_flood_ | collision_flood_) != 0),
      random_(Mix64(profile.seed)),
      picker_(profile),
      tcp_(profile_, random_, displaced_, truth_),
      datagrams_(profile_, random_),
      writer_(profile.seed, MostFrameBytes(profile)),
      buffer_(MostFrameBytes(profile)),
      flows_(profile.flows),
      next_probe_(profile.probe_every != 0 ? 0 : UINT64_MAX) {
  truth_.flows.reserve(profile.flows);
}

std::span<const Frame> TrafficModel::Impl::Next(size_t count) {
  count = std::max(count, kLeastCount);
  const bool one_by_one = duplicate_ == 0 && fragment_ == 0;
  const size_t most = count - (one_by_one ? 0 : kLeastCount - 1);
  buffer_.Clear(count);
  while (buffer_.frames().size() < most && truth_.frames < profile_.packets) AddPacket();
  return buffer_.frames();
}

void TrafficModel::Impl::AddPacket() {
  if (spare() == 0) return AddOwed();
  if (truth_.frames >= next_probe_) return AddProbe();
  if (floods_ && AddFlood()) return;
  PrefetchFlows();
  AddFlowPacket(flows_[picker_.Next()]);
}

void TrafficModel::Impl::PrefetchFlows() const {
  PrefetchToWrite(&flows_[picker_.Coming(FlowPicker::kAhead - 1)]);
  const OpenFlow& soon = flows_[picker_.Coming(FlowPicker::kAhead / 2)];
  if (soon.number != kNoFlow) PrefetchToWrite(&truth_.flows[soon.number]);
}

uint32_t TrafficModel::Impl::AddFrame(uint32_t bytes) {
  const uint32_t length = buffer_.Add(bytes, now_ns());
  ++truth_.frames;
  truth_.wire_bytes += length;
  return length;
}

bool TrafficModel::Impl::AddFlood() {
  const uint64_t number = random_.Next() >> 32;
  if (number >= syn_flood_ + fragment_flood_ + collision_flood_) return false;
  if (number < syn_flood_) {
    const auto flow = kSynFloodFlow + static_cast<uint32_t>(truth_.syn_flood++ % kFloodFlows);
    const PacketPlan syn = {.tcp_flags = tcp_flag::kSyn,
                            .window = UINT16_MAX,
                            .sequence = static_cast<uint32_t>(Mix64(profile_.seed + flow))};
    AddFrame(writer_.Write(buffer_.next(), IdentityOf(profile_, flow), flow, syn));
    return true;
  }
  const bool fragment = number < syn_flood_ + fragment_flood_;
  uint64_t& count = fragment ? truth_.unfinished_fragments : truth_.collision_flood;
  const auto flow =
      (fragment ? kFragmentFlow : kCollisionFlow) + static_cast<uint32_t>(count++ % kFloodFlows);
  const FlowIdentity identity = IdentityOf(profile_, flow);
  const PacketPlan plan = {
      .identification = static_cast<uint16_t>(count),
      .payload = datagrams_.NextSize(NetworkHeaderBytes(identity) + kUdpBytes)};
  uint8_t* const to = buffer_.next();
  AddFrame(fragment ? writer_.WriteUnfinished(to, identity, flow, plan)
                    : writer_.Write(to, identity, flow, plan));
  return true;
}

void TrafficModel::Impl::AddProbe() {
  next_probe_ += profile_.probe_every;
  AddFrame(writer_.WriteProbe(buffer_.next(), IdentityOf(profile_, kProbeFlow), truth_.probes++));
}

void TrafficModel::Impl::Start(OpenFlow& flow) {
  const auto number = static_cast<uint32_t>(truth_.flows.size());
  flow = OpenFlow{.number = number};
  truth_.flows.emplace_back().protocol = IdentityOf(profile_, number).protocol;
  if (truth_.flows.back().protocol == ip_protocol::kTcp) tcp_.Start(flow);
  if (profile_.flow_packets != 0) {
    flow.most_packets = profile_.flow_packets / 2 + random_.Below(profile_.flow_packets + 1);
  }
}

void TrafficModel::Impl::AddFlowPacket(OpenFlow& flow) {
  if (flow.number == kNoFlow || flow.stage == FlowStage::kEnded) Start(flow);
  const FlowIdentity identity = IdentityOf(profile_, flow.number);
  const uint32_t headers = NetworkHeaderBytes(identity) + TransportHeaderBytes(identity.protocol);
  FlowTruth& truth = truth_.flows[flow.number];
  AddFrames(flow, identity,
            identity.protocol == ip_protocol::kTcp
                ? tcp_.Next(flow, truth, headers, spare() - 1)
                : datagrams_.Next(flow, truth, identity, headers));
}

// The end is near: only displaced segments come, one flow's after the other's.
void TrafficModel::Impl::AddOwed() {
  while (flows_[owing_].displaced == kNoSegment) ++owing_;
  OpenFlow& flow = flows_[owing_];
  AddFrames(flow, IdentityOf(profile_, flow.number),
            tcp_.NextDisplaced(flow, truth_.flows[flow.number]));
}

void TrafficModel::Impl::AddFrames(OpenFlow& flow, const FlowIdentity& identity,
                                   const PacketPlan& plan) {
  FlowTruth& truth = truth_.flows[flow.number];
  PacketPlan numbered = plan;
  numbered.identification = static_cast<uint16_t>(flow.packets++);
  if (random_.Chance(fragment_) && spare() >= FrameWriter::kMostPieces &&
      FrameWriter::MostPieces(identity, plan) > 1) {
    return AddPieces(flow, identity, numbered);
  }
  const uint32_t bytes = AddFrame(writer_.Write(buffer_.next(), identity, flow.number, numbered));
  truth.wire_bytes[plan.direction] += bytes;
  ++truth.packets[plan.direction];
  if (!random_.Chance(duplicate_) || spare() == 0) return;
  buffer_.RepeatLast(now_ns());
  ++truth_.frames;
  truth_.wire_bytes += bytes;
  ++truth_.duplicates;
  truth.wire_bytes[plan.direction] += bytes;
  ++truth.packets[plan.direction];
  if (identity.protocol != ip_protocol::kTcp) truth.stream_bytes[plan.direction] += plan.payload;
}

// From the first to the last, or the other way round.
void TrafficModel::Impl::AddPieces(OpenFlow& flow, const FlowIdentity& identity,
                                   const PacketPlan& plan) {
  FlowTruth& truth = truth_.flows[flow.number];
  const uint32_t pieces = 2 + random_.Below(FrameWriter::MostPieces(identity, plan) - 1);
  const bool backward = random_.Below(2) != 0;
  writer_.StartPieces(identity, flow.number, plan);
  for (uint32_t i = 0; i < pieces; ++i) {
    const uint32_t piece = backward ? pieces - 1 - i : i;
    truth.wire_bytes[plan.direction] +=
        AddFrame(writer_.WritePiece(buffer_.next(), identity, flow.number, plan, piece, pieces));
    ++truth.packets[plan.direction];
  }
  ++truth_.fragmented;
}

absl::StatusOr<std::unique_ptr<TrafficModel>> TrafficModel::Create(const TrafficProfile& profile) {
  if (absl::Status status = CheckProfile(profile); !status.ok()) return status;
  return std::unique_ptr<TrafficModel>(new TrafficModel(std::make_unique<Impl>(profile)));
}

TrafficModel::TrafficModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrafficModel::~TrafficModel() = default;

std::span<const Frame> TrafficModel::Next(size_t count) { return impl_->Next(count); }
const Truth& TrafficModel::truth() const { return impl_->truth(); }
const TrafficProfile& TrafficModel::profile() const { return impl_->profile(); }
uint32_t TrafficModel::most_frame_bytes() const { return MostFrameBytes(impl_->profile()); }

}  // namespace weir::load
