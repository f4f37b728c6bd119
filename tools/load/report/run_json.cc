#include "tools/load/report/json_fields.h"
#include "tools/load/report/run_report.h"
#include "tools/weir/ledger_rows.h"

namespace weir::load {
namespace {

void PutAll(JsonWriter& to, const char* name, const std::vector<std::string>& texts) {
  to.Key(name);
  to.StartArray();
  for (const std::string& text : texts)
    to.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  to.EndArray();
}

void PutRows(JsonWriter& to, const char* name, const std::vector<LedgerRow>& rows) {
  to.Key(name);
  to.StartObject();
  for (const LedgerRow& row : rows) Put(to, row.name.c_str(), row.count);
  to.EndObject();
}

void PutFrames(JsonWriter& to, const RunResult& result, const Verdict& verdict) {
  to.Key("frames");
  to.StartObject();
  Put(to, "made", verdict.made);
  Put(to, "copies", result.truth.duplicates);
  Put(to, "sent", verdict.sent);
  Put(to, "received", verdict.received);
  Put(to, "lost", verdict.lost);
  Put(to, "lost_by_name", verdict.named_lost);
  Put(to, "refused_by_sender", result.refused);
  const SourceCounters& source = result.counters.source;
  if (source.ring_dropped) Put(to, "ring_dropped", *source.ring_dropped);
  if (source.nic_missed) Put(to, "nic_missed", *source.nic_missed);
  if (const auto filtered = source.KernelFilteredTotal()) Put(to, "kernel_filtered", *filtered);
  to.EndObject();
}

void PutQuantiles(JsonWriter& to, const DelayHistogram& delays) {
  Put(to, "probes", delays.count());
  Put(to, "p50", static_cast<uint64_t>(delays.Quantile(0.5)));
  Put(to, "p99", static_cast<uint64_t>(delays.Quantile(0.99)));
  Put(to, "p999", static_cast<uint64_t>(delays.Quantile(0.999)));
  Put(to, "max", static_cast<uint64_t>(delays.Quantile(1)));
}

void PutDelays(JsonWriter& to, const RunResult& result) {
  if (result.seen.delays.count() > 0) {
    to.Key("delay_ns");
    to.StartObject();
    Put(to, "clock", std::string("process"));
    PutQuantiles(to, result.seen.delays);
    to.EndObject();
  }
  if (!result.port_delays) return;
  const PortDelays& ports = *result.port_delays;
  to.Key("port_delay_ns");
  to.StartObject();
  Put(to, "clock", std::string(NameOf(ports.clock)));
  PutQuantiles(to, ports.delays);
  Put(to, "unpaired", ports.unpaired);
  Put(to, "negative", ports.negative);
  to.EndObject();
}

}  // namespace

std::string RunJson(const TrafficProfile& profile, const RunResult& result,
                    const Verdict& verdict) {
  rapidjson::StringBuffer buffer;
  JsonWriter to(buffer);
  to.StartObject();
  Put(to, "way", result.way);
  Put(to, "shards", static_cast<uint64_t>(result.shards));
  Put(to, "seed", profile.seed);
  Put(to, "profile_flows", static_cast<uint64_t>(profile.flows));
  PutFrames(to, result, verdict);
  PutRows(to, "ledger", LedgerRows(result.counters.ledger));
  to.Key("flows");
  to.StartObject();
  Put(to, "expected", verdict.flows_expected);
  Put(to, "found", verdict.flows_found);
  Put(to, "wrong", verdict.flows_wrong);
  to.EndObject();
  to.Key("bytes");
  to.StartObject();
  Put(to, "expected", verdict.bytes_expected);
  Put(to, "delivered", verdict.bytes_delivered);
  Put(to, "announced_as_lost", verdict.bytes_in_holes);
  Put(to, "compared", verdict.bytes_checked);
  Put(to, "wrong_deliveries", result.seen.wrong_pieces);
  to.EndObject();
  if (result.send_seconds > 0) {
    Put(to, "send_seconds", result.send_seconds);
    Put(to, "frames_per_second", static_cast<double>(result.sent) / result.send_seconds);
    Put(to, "bits_per_second",
        static_cast<double>(result.truth.wire_bytes) * 8 / result.send_seconds);
  }
  PutDelays(to, result);
  Put(to, "cpu_seconds", result.cpu_seconds);
  Put(to, "timed_frames", result.timed_frames);
  Put(to, "ns_per_frame", NsPerFrame(result));
  if (result.cycles > 0 && result.timed_frames > 0) {
    Put(to, "cycles_per_frame",
        static_cast<double>(result.cycles) / static_cast<double>(result.timed_frames));
  }
  Put(to, "verified", result.verified);
  if (result.engine_bytes > 0) Put(to, "engine_bytes", result.engine_bytes);
  Put(to, "peak_resident_bytes", result.resident_bytes);
  PutAll(to, "notes", result.notes);
  PutAll(to, "losses", verdict.losses);
  PutAll(to, "faults", verdict.faults);
  Put(to, "good", verdict.good());
  to.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace weir::load
