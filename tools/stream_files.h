// --streams: the bytes of each direction of each TCP flow, in a file of their own.
//
// Names are tcpflow's: 010.000.000.001.40000-010.000.000.002.00080, sender first, then --7 for
// VLAN 7, then c1, c2... for a name that this run had before. IPv6 addresses are written as usual.
// A file is made when its first bytes come. One that an earlier run left under the same name is
// written anew.
//
// Memory: handles and buffers (FilePool), about 150 bytes a live TCP flow, and most_names counters
// of 20 bytes; beyond that many different names a file that is there already is left alone and the
// number goes up, whoever made it. Thread: the one that polls. Errors: FilePool's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/export/eve_writer.h"
#include "engine/flow/event.h"
#include "tools/file_pool.h"

namespace weir {

// What a file shows where bytes were lost.
enum class StreamHoles : uint8_t {
  kZero,  // nothing was written there, it reads as zeros: every byte stands at its place
  kJoin,  // what came next
};

struct StreamFilesOptions {
  std::string folder;
  StreamHoles holes = StreamHoles::kZero;
  size_t handles = 0;           // see FilePool::Open
  size_t most_names = 1 << 20;  // that are counted
};

class StreamFiles {
 public:
  // What Handle must see of each flow.
  static constexpr uint32_t kEvents =
      event_mask::Of(EventKind::kFlowStarted) | event_mask::Of(EventKind::kFlowFlipped) |
      event_mask::Of(EventKind::kFlowEnded) | event_mask::Of(EventKind::kStreamData) |
      event_mask::Of(EventKind::kStreamEnd);

  static absl::StatusOr<std::unique_ptr<StreamFiles>> Open(const StreamFilesOptions& options);

  // After an error every later call returns it, and writes nothing.
  absl::Status Handle(const Event& event);
  absl::Status Flush();
  absl::Status Close();

  // The files of a flow, below the folder; empty where a direction has none. Until the flow's
  // kFlowEnded has been handled.
  StreamFileNames NamesOf(FlowHandle flow) const;

  uint64_t files() const { return files_; }
  uint64_t bytes() const { return bytes_; }
  const std::string& folder() const { return options_.folder; }

 private:
  struct Stream {
    FilePool::File file;
    bool exists = false;
    uint32_t number = 0;   // of its name
    uint64_t written = 0;  // bytes
  };
  struct Flow {
    FlowKey key;
    int32_t vlan = -1;
    std::array<Stream, 2> streams;  // by who sends: the key's source, its destination
  };

  StreamFiles(const StreamFilesOptions& options, std::unique_ptr<FilePool> pool)
      : options_(options), pool_(std::move(pool)) {}
  static uint64_t IdOf(FlowHandle flow) { return uint64_t{flow.generation} << 32 | flow.slot; }
  static std::string NameOf(const Flow& flow, int direction, uint32_t number);
  void Start(const FlowRecord& record);
  void Flip(FlowHandle handle);
  absl::Status Write(const Event& event);
  absl::Status Make(Flow& flow, int direction);
  absl::Status EndStream(FlowHandle handle, int direction);
  absl::Status EndFlow(FlowHandle handle);

  StreamFilesOptions options_;
  std::unique_ptr<FilePool> pool_;
  absl::flat_hash_map<uint64_t, Flow> flows_;    // live TCP flows
  absl::flat_hash_map<uint64_t, uint32_t> had_;  // how often, by a hash of the name without number
  bool forgot_names_ = false;
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  absl::Status status_;
};

}  // namespace weir
