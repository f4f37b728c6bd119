#include "tools/load/search/no_loss_search.h"

#include <algorithm>
#include <cmath>

namespace weir::load {
namespace {

class Search {
 public:
  Search(const SearchOptions& options, const RunTrial& run) : options_(options), run_(run) {}

  absl::StatusOr<NoLossRate> Find() {
    auto passed = Passes(0);
    if (!passed.ok()) return passed.status();
    result_.sender_ceiling = ceiling_;
    result_.limited_by_sender = *passed;
    double low = 0, high = ceiling_;
    // A rate that passes, each a quarter of the one before.
    for (double rate = ceiling_ / 2; !*passed && low == 0 && rate >= options_.least; rate /= 4) {
      auto good = Passes(rate);
      if (!good.ok()) return good.status();
      (*good ? low : high) = rate;
    }
    while (low > 0 && high / low > 1 + options_.resolution) {
      const double middle = std::sqrt(low * high);
      auto good = Passes(middle);
      if (!good.ok()) return good.status();
      (*good ? low : high) = middle;
    }
    return std::move(result_);
  }

 private:
  absl::StatusOr<bool> Passes(double rate) {
    const int majority = options_.repetitions / 2 + 1;
    int passes = 0, failures = 0;
    double best = 0;
    while (failures < majority) {
      const auto trial = run_(rate);
      if (!trial.ok()) return trial.status();
      result_.trials.push_back(*trial);
      if (rate == 0) ceiling_ = std::max(ceiling_, trial->sent_at);
      if (trial->lost > 0) {
        ++failures;
        continue;
      }
      best = std::max(best, trial->sent_at);
      // The first one that passes at once is believed.
      if (failures == 0 || ++passes >= majority) {
        result_.frames_per_second = std::max(result_.frames_per_second, best);
        return true;
      }
    }
    return false;
  }

  const SearchOptions& options_;
  const RunTrial& run_;
  NoLossRate result_;
  double ceiling_ = 0;
};

}  // namespace

absl::StatusOr<NoLossRate> SearchNoLossRate(const SearchOptions& options, const RunTrial& run) {
  return Search(options, run).Find();
}

}  // namespace weir::load
