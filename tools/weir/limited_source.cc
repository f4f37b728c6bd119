#include "tools/weir/limited_source.h"

#include <algorithm>

namespace weir {

// What another shard was granted in between is not handed out: it lies behind the limit.
int LimitedSource::Receive(std::span<Frame> frames) {
  if (reached()) return 0;
  if (limits_.frames != nullptr) {
    frames = frames.first(std::min<size_t>(frames.size(), limits_.frames->left()));
  }
  int count = inner_->Receive(frames);
  if (limits_.span_ns != 0) count = WithinSpan(frames.first(static_cast<size_t>(count)));
  if (limits_.frames != nullptr) {
    count = static_cast<int>(limits_.frames->Take(static_cast<uint64_t>(count)));
  }
  handed_out_ += static_cast<uint64_t>(count);
  return count;
}

// How many of `frames` lie in the span; the first behind it ends the source.
int LimitedSource::WithinSpan(std::span<const Frame> frames) {
  if (!first_ns_ && !frames.empty()) first_ns_ = frames.front().timestamp_ns;
  const auto beyond = std::find_if(frames.begin(), frames.end(), [this](const Frame& frame) {
    return frame.timestamp_ns - *first_ns_ > limits_.span_ns;
  });
  reached_ = beyond != frames.end();
  return static_cast<int>(beyond - frames.begin());
}

SourceCounters LimitedSource::Counters() {
  SourceCounters counters = inner_->Counters();
  counters.received = handed_out_;
  return counters;
}

}  // namespace weir
