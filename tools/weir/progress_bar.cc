#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/weir/display.h"
#include "tools/weir/human.h"
#include "tools/weir/terminal.h"

namespace weir {
namespace {

class ProgressBar : public Display {
 public:
  ProgressBar(FILE* stream, std::string name) : stream_(stream), name_(std::move(name)) {}

  // A short file is done before the first one.
  int64_t interval_ns() const override { return 250'000'000; }

  bool wants_scene() const override { return true; }

  void Show(const RunSample& now, const ShardScene& scene) override {
    const std::string line = scene.bytes_total > 0 ? WithBar(now, scene) : WithoutTotal(now, scene);
    shown_ = true;
    absl::FPrintF(stream_, "\r%s\x1b[K", FitWidth(line, TerminalSize(stream_).columns - 1));
    std::fflush(stream_);
  }

  void Finish(const RunSample&) override {
    if (!shown_) return;
    std::fputs("\r\x1b[K", stream_);
    std::fflush(stream_);
  }

 private:
  static std::string Speed(const RunSample& now) {
    const double seconds = std::max(1e-3, static_cast<double>(now.elapsed_ns) / 1e9);
    return absl::StrCat(HumanRate(static_cast<double>(now.ledger.received) / seconds),
                        " packets/s");
  }

  std::string WithBar(const RunSample& now, const ShardScene& scene) const {
    constexpr int kWidth = 30;
    const auto total = static_cast<double>(scene.bytes_total);
    const double share = std::min(1.0, static_cast<double>(scene.bytes_read) / total);
    const int filled = static_cast<int>(share * kWidth);
    const auto left_ns =
        static_cast<int64_t>(static_cast<double>(now.elapsed_ns) * (1 - share) / (share + 1e-9));
    return absl::StrFormat("%s [%s%s] %.0f %% of %s  %s  %s left", name_, std::string(filled, '#'),
                           std::string(kWidth - filled, '.'), 100 * share,
                           HumanBytes(scene.bytes_total), Speed(now), HumanDuration(left_ns));
  }

  std::string WithoutTotal(const RunSample& now, const ShardScene& scene) const {
    return absl::StrCat(name_, "  ", HumanBytes(scene.bytes_read), "  ",
                        HumanCount(now.ledger.received), " packets  ", Speed(now));
  }

  FILE* stream_;
  std::string name_;
  bool shown_ = false;
};

}  // namespace

std::unique_ptr<Display> MakeProgressBar(FILE* stream, std::string name) {
  return std::make_unique<ProgressBar>(stream, std::move(name));
}

}  // namespace weir
