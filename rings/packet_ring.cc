#include "rings/packet_ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "rings/block_writer.h"

namespace weir {
namespace {

constexpr uint32_t kMinimumBlocks = 2;
constexpr size_t kLargestFrame =
    65536 + 14 + 4;  // GRO's largest datagram, Ethernet header, one tag
// TPACKET_V3 packs frames; the size only has to divide a block.
constexpr uint32_t kNominalFrameBytes = 2048;

size_t SmallestBlock() {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  Frame frame;
  frame.captured_length = kLargestFrame;
  const size_t bytes = BlockWriter::OverheadBytes() + BlockWriter::BytesFor(frame);
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

int AskForRing(int fd, const RingGeometry& geometry, uint32_t block_count) {
  tpacket_req3 request{};
  request.tp_block_size = static_cast<uint32_t>(geometry.block_bytes);
  request.tp_block_nr = block_count;
  request.tp_frame_size = kNominalFrameBytes;
  request.tp_frame_nr = request.tp_block_size / kNominalFrameBytes * block_count;
  request.tp_retire_blk_tov = geometry.retire_ms;
  return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0 ? 0 : errno;
}

void* Map(int fd, size_t bytes, std::vector<std::string>* notes) {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  void* memory = mmap(nullptr, bytes, kProtection, MAP_SHARED | MAP_LOCKED, fd, 0);
  if (memory != MAP_FAILED) return memory;
  notes->push_back(
      absl::StrFormat("ring is not locked in memory: %s (raise ulimit -l, or setcap "
                      "cap_ipc_lock+ep)",
                      strerror(errno)));
  return mmap(nullptr, bytes, kProtection, MAP_SHARED, fd, 0);
}

}  // namespace

absl::Status CheckGeometry(const RingGeometry& geometry) {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (geometry.block_bytes % page_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("ring block of %u bytes is not a multiple of the page size, %u bytes",
                        geometry.block_bytes, page_bytes));
  }
  if (geometry.block_bytes < SmallestBlock()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "ring block of %u KiB cannot hold a frame of 64 KiB, which offloads make of small ones: "
        "--block-kib must be at least %u",
        geometry.block_bytes >> 10, SmallestBlock() >> 10));
  }
  if (geometry.ring_bytes / geometry.block_bytes < kMinimumBlocks) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "ring of %u KiB is less than %u blocks of %u KiB: make --ring-mib larger or --block-kib "
        "smaller",
        geometry.ring_bytes >> 10, kMinimumBlocks, geometry.block_bytes >> 10));
  }
  if (geometry.block_bytes > INT32_MAX ||
      geometry.ring_bytes / kNominalFrameBytes > UINT32_MAX / 2) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "ring of %u MiB in blocks of %u MiB is larger than the kernel's interface can say",
        geometry.ring_bytes >> 20, geometry.block_bytes >> 20));
  }
  return absl::OkStatus();
}

absl::StatusOr<PacketRing> PacketRing::Create(int fd, const RingGeometry& geometry,
                                              std::vector<std::string>* notes) {
  if (auto status = CheckGeometry(geometry); !status.ok()) return status;
  const auto wanted = static_cast<uint32_t>(geometry.ring_bytes / geometry.block_bytes);
  uint32_t count = wanted;
  int error = AskForRing(fd, geometry, count);
  while (error == ENOMEM && count / 2 >= kMinimumBlocks) {
    count /= 2;
    error = AskForRing(fd, geometry, count);
  }
  if (error != 0) {
    return absl::ErrnoToStatus(error,
                               absl::StrFormat("the kernel refuses a ring of %u blocks of %u "
                                               "KiB: make --ring-mib or --block-kib smaller",
                                               count, geometry.block_bytes >> 10));
  }
  PacketRing ring;
  ring.block_bytes_ = geometry.block_bytes;
  ring.block_count_ = count;
  if (count != wanted) {
    notes->push_back(absl::StrFormat("no memory for a ring of %u MiB: took %u MiB",
                                     geometry.ring_bytes >> 20, ring.bytes() >> 20));
  }
  void* memory = Map(fd, ring.bytes(), notes);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno,
                               absl::StrFormat("cannot map the ring of %u MiB: make --ring-mib "
                                               "smaller",
                                               ring.bytes() >> 20));
  }
  ring.memory_ = static_cast<uint8_t*>(memory);
  return ring;
}

PacketRing::PacketRing(PacketRing&& other) noexcept { *this = std::move(other); }

PacketRing& PacketRing::operator=(PacketRing&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(block_bytes_, other.block_bytes_);
  std::swap(block_count_, other.block_count_);
  return *this;
}

PacketRing::~PacketRing() {
  if (memory_ != nullptr) munmap(memory_, bytes());
}

}  // namespace weir
