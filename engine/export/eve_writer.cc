#include "engine/export/eve_writer.h"

#include <algorithm>

#include "engine/export/community_id.h"
#include "engine/export/directions.h"
#include "engine/export/eve_tunnel.h"
#include "engine/export/json_line.h"

namespace weir {
namespace {

constexpr size_t kBufferBytes = 128 * 1024;
constexpr size_t kLongestLine = 8 * 1024;  // both kinds of line, names of interface and files apart
constexpr size_t kLongestEscape = 6;       // one byte as \u001f

bool HasPorts(const FlowKey& key) {
  return key.protocol != ip_protocol::kIcmp && key.protocol != ip_protocol::kIcmpv6;
}

// Suricata's three states.
std::string_view FlowStateName(FlowState state) {
  switch (state) {
    case FlowState::kEstablished:
      return "established";
    case FlowState::kHalfClosed:
    case FlowState::kClosing:
    case FlowState::kClosed:
    case FlowState::kReset:
      return "closed";
    default:
      return "new";
  }
}

// Suricata's reasons; an interim record, which it does not know, is "active".
std::string_view ReasonName(FlowEnd end) {
  switch (end) {
    case FlowEnd::kEvicted:
      return "forced";
    case FlowEnd::kEnd:
      return "shutdown";
    case FlowEnd::kActive:
      return "active";
    default:
      return "timeout";
  }
}

// The state of the connection as Suricata's stream engine names it.
std::string_view TcpStateName(const FlowRecord& record) {
  switch (record.state) {
    case FlowState::kSynSent:
      return "syn_sent";
    case FlowState::kSynReceived:
      return "syn_recv";
    case FlowState::kEstablished:
      return "established";
    case FlowState::kHalfClosed:
      return record.tcp_flags[0] & tcp_flag::kFin ? "close_wait" : "fin_wait1";
    case FlowState::kClosing:
      return "last_ack";
    case FlowState::kClosed:
    case FlowState::kReset:
      return "closed";
    default:
      return "none";
  }
}

void WriteAddresses(JsonLine& line, const FlowRecord& record) {
  const FlowKey& key = record.key;
  const AddressText source = TextOfAddress(key.family, key.source.data());
  const AddressText destination = TextOfAddress(key.family, key.destination.data());
  if (key.family == AddressFamily::kMac) {
    line.StartObject("ether");
    line.Text("src_mac", source.view());
    line.Text("dest_mac", destination.view());
    line.EndObject();
    line.Text("proto", "Ethernet");
    return;
  }
  const bool ports = HasPorts(key);
  line.Text("src_ip", source.view());
  line.Number("src_port", ports ? key.source_port : 0u);
  line.Text("dest_ip", destination.view());
  line.Number("dest_port", ports ? key.destination_port : 0u);
  line.Text("proto", TextOfProtocol(key.protocol).view());
  if (!ports) {
    line.Number("icmp_type", uint64_t{record.icmp_type});
    line.Number("icmp_code", uint64_t{record.icmp_code});
  }
}

void WriteVlans(JsonLine& line, const FlowRecord& record) {
  if (record.vlan_count == 0) return;
  line.StartArray("vlan");
  const size_t known = std::min<size_t>(record.vlan_count, record.vlan.size());
  for (size_t i = 0; i < known; ++i) line.Number(record.vlan[i]);
  line.EndArray();
}

void WriteFlow(JsonLine& line, const FlowRecord& record, TimestampFormatter& timestamps) {
  line.StartObject("flow");
  WriteDirections(line, record.packets, record.bytes);
  line.Text("start", timestamps.Format(record.start_ns).view());
  line.Text("end", timestamps.Format(record.end_ns).view());
  const int64_t age_s = (record.end_ns - record.start_ns) / 1'000'000'000;
  line.Number("age", static_cast<uint64_t>(std::max<int64_t>(age_s, 0)));
  line.Text("state", FlowStateName(record.state));
  line.Text("reason", ReasonName(record.end));
  line.EndObject();
}

void WriteHexByte(JsonLine& line, std::string_view key, uint8_t value) {
  constexpr char kHex[] = "0123456789abcdef";
  const char text[2] = {kHex[value >> 4], kHex[value & 15]};
  line.Text(key, {text, 2});
}

void WriteTcp(JsonLine& line, const FlowRecord& record) {
  struct FlagName {
    uint8_t flag;
    std::string_view name;
  };
  constexpr FlagName kFlags[] = {{tcp_flag::kSyn, "syn"}, {tcp_flag::kFin, "fin"},
                                 {tcp_flag::kRst, "rst"}, {tcp_flag::kPsh, "psh"},
                                 {tcp_flag::kAck, "ack"}, {tcp_flag::kUrg, "urg"},
                                 {tcp_flag::kEce, "ecn"}, {tcp_flag::kCwr, "cwr"}};
  const auto all = static_cast<uint8_t>(record.tcp_flags[0] | record.tcp_flags[1]);
  line.StartObject("tcp");
  WriteHexByte(line, "tcp_flags", all);
  WriteHexByte(line, "tcp_flags_ts", record.tcp_flags[0]);
  WriteHexByte(line, "tcp_flags_tc", record.tcp_flags[1]);
  for (const FlagName& flag : kFlags) {
    if (all & flag.flag) line.Bool(flag.name, true);
  }
  line.Text("state", TcpStateName(record));
  line.EndObject();
}

// Of a flow with interim records: which one this is, and what came since the one before.
void WriteInterim(JsonLine& line, const FlowRecord& record) {
  if (record.interim == 0 && record.end != FlowEnd::kActive) return;
  line.Number("interim", uint64_t{record.interim});
  line.StartObject("delta");
  WriteDirections(line, record.packets_delta, record.bytes_delta);
  line.EndObject();
}

void WriteLabels(JsonLine& line, const FlowRecord& record) {
  if (record.label[0] == 0 && record.label[1] == 0) return;
  line.StartObject("label");
  if (record.label[0] != 0) line.Number("toserver", uint64_t{record.label[0]});
  if (record.label[1] != 0) line.Number("toclient", uint64_t{record.label[1]});
  line.EndObject();
}

// TCP flows whose streams were put together.
void WriteStreams(JsonLine& line, const FlowRecord& record, const StreamFileNames& files) {
  if (!record.reassembled) return;
  constexpr std::array<std::string_view, 2> kDirections = {"toserver", "toclient"};
  line.StartObject("stream");
  for (size_t i = 0; i < kDirections.size(); ++i) {
    const StreamTotals& stream = record.stream[i];
    line.StartObject(kDirections[i]);
    line.Number("bytes", stream.delivered);
    line.Number("lost", stream.lost);
    line.Number("retransmitted", stream.retransmitted);
    line.Number("out_of_order", uint64_t{stream.out_of_order});
    line.Number("conflicts", uint64_t{stream.conflicts});
    if (!files[i].empty()) line.Text("file", files[i]);
    line.EndObject();
  }
  line.EndObject();
}

void WriteWeir(JsonLine& line, const FlowRecord& record, const StreamFileNames& files,
               uint16_t shard) {
  line.StartObject("weir");
  line.Text("end", Name(record.end));
  const auto history_end = std::find(record.history.begin(), record.history.end(), '\0');
  if (history_end != record.history.begin()) {
    line.Text("history",
              {record.history.data(), static_cast<size_t>(history_end - record.history.begin())});
  }
  if (record.midstream) line.Bool("midstream", true);
  WriteInterim(line, record);
  WriteTunnel(line, record.tunnel);
  WriteLabels(line, record);
  WriteStreams(line, record, files);
  line.Number("shard", uint64_t{shard});
  line.EndObject();
}

}  // namespace

EveWriter::EveWriter(const EveOptions& options)
    : options_(options),
      longest_line_(kLongestLine +
                    kLongestEscape * (options.in_iface.size() + options.pcap_filename.size())),
      buffer_(kBufferBytes + longest_line_),
      line_(std::make_unique<JsonLine>(buffer_)) {}

EveWriter::~EveWriter() = default;

void EveWriter::Append(const FlowRecord& record, const StreamFileNames& files) {
  buffer_.Reserve(longest_line_ + kLongestEscape * (files[0].size() + files[1].size()));
  JsonLine& line = *line_;
  line.Begin();
  line.Text("timestamp", timestamps_.Format(record.end_ns).view());
  line.Number("flow_id", record.flow_id + (uint64_t{options_.shard} << 48));
  if (!options_.in_iface.empty()) line.Text("in_iface", options_.in_iface);
  if (!options_.pcap_filename.empty()) line.Text("pcap_filename", options_.pcap_filename);
  line.Text("event_type", "flow");
  WriteVlans(line, record);
  WriteAddresses(line, record);
  WriteFlow(line, record, timestamps_);
  const FlowKey& key = record.key;
  if (key.family == AddressFamily::kIpv4 || key.family == AddressFamily::kIpv6) {
    line.Text("community_id", CommunityIdOf(key, record.icmp_type, record.icmp_code).view());
  }
  if (key.protocol == ip_protocol::kTcp) WriteTcp(line, record);
  WriteWeir(line, record, files, options_.shard);
  line.End();
}

}  // namespace weir
