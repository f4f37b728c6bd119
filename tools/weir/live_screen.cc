#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/flow/flow_tracker.h"
#include "tools/weir/display.h"
#include "tools/weir/human.h"
#include "tools/weir/ledger_rows.h"
#include "tools/weir/terminal.h"

namespace weir {
namespace {

constexpr int64_t kRefreshNs = 1'000'000'000;

class LiveScreen : public Display {
 public:
  LiveScreen(FILE* stream, std::string interface, int64_t interval_ns)
      : stream_(stream),
        interface_(std::move(interface)),
        interval_ns_(std::min(interval_ns, kRefreshNs)) {}

  int64_t interval_ns() const override { return interval_ns_; }
  bool wants_scene() const override { return true; }

  void Show(const RunSample& now, const ShardScene& scene) override {
    const TerminalExtent extent = TerminalSize(stream_);
    std::vector<std::string> lines = Summary(now);
    AddFlows(now, scene, static_cast<size_t>(std::max(extent.rows - 1, 1)), lines);
    Draw(lines, extent);
    before_ = now;
  }

  void Finish(const RunSample&) override {
    Draw({}, {});
    std::fflush(stream_);
  }

 private:
  double Seconds(const RunSample& now) const {
    return std::max(1e-3, static_cast<double>(now.elapsed_ns - before_.elapsed_ns) / 1e9);
  }

  std::vector<std::string> Summary(const RunSample& now) const {
    const double seconds = Seconds(now);
    const auto packets = static_cast<double>(now.ledger.received - before_.ledger.received);
    const auto bytes =
        static_cast<double>(now.ledger.received_bytes - before_.ledger.received_bytes);
    return {absl::StrCat("weir on ", interface_, " for ", HumanDuration(now.elapsed_ns),
                         "   (Ctrl-C ends it and shows the report)"),
            "",
            absl::StrCat("now       ", HumanRate(packets / seconds), " packets/s   ",
                         HumanBitRate(8 * bytes / seconds)),
            absl::StrCat("flows     ", HumanCount(now.flows_alive), " alive of at most ",
                         HumanCount(now.flow_capacity), "   ", HumanCount(now.flows.started),
                         " started"),
            absl::StrCat("received  ", HumanCount(now.ledger.received), " packets   ",
                         HumanBytes(now.ledger.received_bytes), "   lost ", HumanCount(now.lost()),
                         now.lost() > 0 ? " (raise --ring-mib)" : ""),
            absl::StrCat("of these  ", WhereTheyWent(now)),
            ""};
  }

  static std::string WhereTheyWent(const RunSample& now) {
    std::string text;
    for (const LedgerRow& row : LedgerRows(now.ledger)) {
      if (!row.reason) absl::StrAppend(&text, row.name, " ", HumanCount(row.count), "   ");
    }
    return text;
  }

  void AddFlows(const RunSample& now, const ShardScene& scene, size_t most,
                std::vector<std::string>& lines) {
    if (lines.size() + 2 > most) return;
    if (scene.too_many) {
      lines.push_back("(too many flows alive to rank them here)");
      return;
    }
    constexpr size_t kFlowWidth = 52;
    const size_t room = std::min(most - lines.size() - 1, scene.busy.size());
    lines.push_back(absl::StrCat(Left("busiest now", kFlowWidth), Right("rate", 14),
                                 Right("packets", 13), Right("bytes", 11)));
    for (const BusyFlow& flow : std::span(scene.busy).first(room)) {
      const double rate = 8 * static_cast<double>(flow.fresh) / Seconds(now);
      lines.push_back(
          absl::StrCat(Left(HumanFlow(flow.record), kFlowWidth), Right(HumanBitRate(rate), 14),
                       Right(HumanCount(flow.record.packets[0] + flow.record.packets[1]), 13),
                       Right(HumanBytes(flow.record.bytes[0] + flow.record.bytes[1]), 11)));
    }
  }

  // Over what was drawn before: cursor up, clear to the end of the screen, write.
  void Draw(const std::vector<std::string>& lines, const TerminalExtent& extent) {
    std::string text;
    if (drawn_ > 0) absl::StrAppend(&text, "\x1b[", drawn_, "A");
    absl::StrAppend(&text, "\r\x1b[J");
    drawn_ = std::min<size_t>(lines.size(), static_cast<size_t>(extent.rows - 1));
    for (size_t i = 0; i < drawn_; ++i) {
      absl::StrAppend(&text, FitWidth(lines[i], extent.columns - 1), "\n");
    }
    std::fputs(text.c_str(), stream_);
    std::fflush(stream_);
  }

  FILE* stream_;
  std::string interface_;
  int64_t interval_ns_;
  RunSample before_;
  size_t drawn_ = 0;
};

}  // namespace

std::unique_ptr<Display> MakeLiveScreen(FILE* stream, std::string interface, int64_t interval_ns) {
  return std::make_unique<LiveScreen>(stream, std::move(interface), interval_ns);
}

}  // namespace weir
