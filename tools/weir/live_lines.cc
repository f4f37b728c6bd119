#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/weir/display.h"
#include "tools/weir/human.h"

namespace weir {
namespace {

class LiveLines : public Display {
 public:
  LiveLines(FILE* stream, int64_t interval_ns) : stream_(stream), interval_ns_(interval_ns) {}

  int64_t interval_ns() const override { return interval_ns_; }
  void Show(const RunSample& now, const ShardScene&) override { Line(now); }
  void Finish(const RunSample& now) override { Line(now); }

 private:
  void Line(const RunSample& now) {
    const double seconds =
        std::max(1e-3, static_cast<double>(now.elapsed_ns - before_.elapsed_ns) / 1e9);
    const auto packets = static_cast<double>(now.ledger.received - before_.ledger.received);
    const auto bytes =
        static_cast<double>(now.ledger.received_bytes - before_.ledger.received_bytes);
    const std::string clock = absl::FormatTime("%H:%M:%S", absl::Now(), absl::LocalTimeZone());
    absl::FPrintF(stream_, "%s  %s packets/s  %s  %s flows  %s received  %s lost\n", clock,
                  HumanRate(packets / seconds), HumanBitRate(8 * bytes / seconds),
                  HumanCount(now.flows_alive), HumanCount(now.ledger.received),
                  HumanCount(now.lost()));
    std::fflush(stream_);
    before_ = now;
  }

  FILE* stream_;
  int64_t interval_ns_;
  RunSample before_;
};

}  // namespace

std::unique_ptr<Display> MakeLiveLines(FILE* stream, int64_t interval_ns) {
  return std::make_unique<LiveLines>(stream, interval_ns);
}

}  // namespace weir
