#include "tools/load/search/no_loss_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace weir::load {
namespace {

class Search {
 public:
  Search(const SearchOptions& options, const RunTrial& run) : options_(options), run_(run) {}

  absl::StatusOr<NoLossRate> Find() {
    if (auto status = FindCeiling(); !status.ok()) return status;
    result_.limited_by_sender = Equal(result_.frames_per_second, result_.sender_ceiling);
    if (!result_.limited_by_sender) {
      if (auto status = Bisect(); !status.ok()) return status;
    }
    return std::move(result_);
  }

 private:
  enum class Outcome { kPassed, kLost, kNotReached };

  absl::Status FindCeiling();
  absl::Status Bisect();
  absl::StatusOr<Outcome> Try(double rate);
  absl::StatusOr<Trial> Run(double rate);
  bool Equal(double low, double high) const { return high <= low * (1 + options_.resolution); }

  const SearchOptions& options_;
  const RunTrial& run_;
  NoLossRate result_;
};

absl::StatusOr<Trial> Search::Run(double rate) {
  auto trial = run_(rate);
  if (!trial.ok()) return trial;
  result_.trials.push_back(*trial);
  if (trial->lost == 0)
    result_.frames_per_second = std::max(result_.frames_per_second, trial->sent_at);
  return trial;
}

absl::Status Search::FindCeiling() {
  std::array<double, 3> best{};  // the highest first
  for (int i = 0; i < 8 * options_.tries; ++i) {
    const auto trial = Run(0);
    if (!trial.ok()) return trial.status();
    double rate = trial->sent_at;
    for (double& place : best)
      if (rate > place) std::swap(rate, place);
    if (i + 1 >= 3 * options_.tries && Equal(best.back(), best.front())) break;
  }
  result_.sender_ceiling = best.front();
  return absl::OkStatus();
}

absl::StatusOr<Search::Outcome> Search::Try(double rate) {
  Outcome outcome = Outcome::kNotReached;
  for (int i = 0; i < options_.tries; ++i) {
    const auto trial = Run(rate);
    if (!trial.ok()) return trial.status();
    if (!Equal(trial->sent_at, rate)) continue;
    if (trial->lost == 0) return Outcome::kPassed;
    outcome = Outcome::kLost;
  }
  return outcome;
}

absl::Status Search::Bisect() {
  // Something may have passed already, slower than the ceiling.
  double low = result_.frames_per_second, high = result_.sender_ceiling;
  // A rate that passes, each a quarter of the one before.
  for (double rate = high / 2; low == 0 && rate >= options_.least; rate /= 4) {
    const auto outcome = Try(rate);
    if (!outcome.ok()) return outcome.status();
    (*outcome == Outcome::kPassed ? low : high) = rate;
  }
  bool engine_lost = true;  // at `high`, or the sender does not reach it
  while (low > 0 && !Equal(low, high)) {
    const double middle = std::sqrt(low * high);
    const auto outcome = Try(middle);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == Outcome::kPassed) {
      low = middle;
    } else {
      high = middle;
      engine_lost = *outcome == Outcome::kLost;
    }
  }
  result_.limited_by_sender = low > 0 && !engine_lost;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NoLossRate> SearchNoLossRate(const SearchOptions& options, const RunTrial& run) {
  return Search(options, run).Find();
}

}  // namespace weir::load
