#include "tools/pcap_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "rings/pcap_handle.h"
#include "rings/vlan_tag.h"

namespace weir {
namespace {

constexpr int kSnapLength = 262144;  // what tcpdump writes, and the most that readers accept
constexpr size_t kBufferBytes = 256 << 10;
constexpr size_t kMostLinkTypes = 16;

// NAME.pcap and LINUX_SLL make NAME-LINUX_SLL.pcap.
std::string PathFor(const std::string& path, uint16_t link_type) {
  const char* name = pcap_datalink_val_to_name(DltOf(link_type));
  const std::string suffix =
      absl::StrCat("-", name != nullptr ? std::string(name) : absl::StrCat(link_type));
  const size_t slash = path.rfind('/'), dot = path.rfind('.');
  const bool has_extension =
      dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  const size_t at = has_extension ? dot : path.size();
  return absl::StrCat(path.substr(0, at), suffix, path.substr(at));
}

// pcap-savefile(5): in front of each frame, in the machine's byte order. pcap_dump writes the same
// by two calls of stdio a frame: from file to file, 64-byte frames took twice as long.
struct RecordHeader {
  uint32_t seconds;
  uint32_t nanoseconds;  // as the file's magic number says
  uint32_t captured_length;
  uint32_t wire_length;
};
static_assert(sizeof(RecordHeader) == 16);

ssize_t AppendTo(void* text, const char* data, size_t bytes) {
  static_cast<std::string*>(text)->append(data, bytes);
  return static_cast<ssize_t>(bytes);
}

// What a file of this link type starts with.
absl::StatusOr<std::string> FileHeader(uint16_t link_type) {
  absl::StatusOr<PcapHandle> pcap = OpenDeadPcap(link_type, kSnapLength);
  if (!pcap.ok()) return pcap.status();
  std::string header;
  FILE* stream = fopencookie(&header, "wb", {nullptr, &AppendTo, nullptr, nullptr});
  if (stream == nullptr) return absl::ErrnoToStatus(errno, "fopencookie");
  pcap_dumper_t* dumper = pcap_dump_fopen(pcap->get(), stream);
  if (dumper == nullptr) {
    fclose(stream);
    return absl::InternalError(absl::StrCat("libpcap: ", pcap_geterr(pcap->get())));
  }
  pcap_dump_close(dumper);
  return header;
}

}  // namespace

// One link type's files. Records go to the file in large pieces.
class PcapWriter::Output {
 public:
  static absl::StatusOr<std::unique_ptr<Output>> Open(uint16_t link_type,
                                                      RotatingFile::Options options,
                                                      int64_t now_ns) {
    auto header = FileHeader(link_type);
    if (!header.ok()) return header.status();
    options.prologue = *std::move(header);
    auto output = std::make_unique<Output>();
    output->link_type_ = link_type;
    output->buffer_.reserve(2 * kBufferBytes);
    output->rotate_bytes_ = options.rotate_bytes;
    auto file = RotatingFile::Open(options, now_ns);
    if (!file.ok()) return file.status();
    output->file_ = *std::move(file);
    return output;
  }

  absl::Status Write(const Frame& stripped, int64_t now_ns) {
    const Frame frame = WithTagInBytes(stripped, tagged_);
    const RecordHeader header{static_cast<uint32_t>(frame.timestamp_ns / 1'000'000'000),
                              static_cast<uint32_t>(frame.timestamp_ns % 1'000'000'000),
                              frame.captured_length, frame.wire_length};
    buffer_.append(reinterpret_cast<const char*>(&header), sizeof header);
    buffer_.append(reinterpret_cast<const char*>(frame.data), frame.captured_length);
    const bool file_full = rotate_bytes_ != 0 && file_->bytes() + buffer_.size() >= rotate_bytes_;
    return file_full || buffer_.size() >= kBufferBytes ? Flush(now_ns) : absl::OkStatus();
  }

  absl::Status Flush(int64_t now_ns) {
    if (buffer_.empty()) return absl::OkStatus();
    absl::Status status = file_->Write(buffer_, now_ns);
    buffer_.clear();
    return status;
  }

  absl::Status Reopen(int64_t now_ns) {
    if (absl::Status status = Flush(now_ns); !status.ok()) return status;
    return file_->Reopen();
  }

  absl::Status Close(int64_t now_ns) {
    if (absl::Status status = Flush(now_ns); !status.ok()) return status;
    return file_->Close();
  }

  uint16_t link_type() const { return link_type_; }

 private:
  uint16_t link_type_ = 0;
  uint64_t rotate_bytes_ = 0;
  std::string buffer_;
  std::vector<uint8_t> tagged_;
  std::unique_ptr<RotatingFile> file_;
};

PcapWriter::PcapWriter(const RotatingFile::Options& options) : options_(options) {}
PcapWriter::~PcapWriter() = default;

absl::StatusOr<PcapWriter::Output*> PcapWriter::OutputFor(uint16_t link_type, int64_t now_ns) {
  for (const std::unique_ptr<Output>& output : outputs_) {
    if (output->link_type() == link_type) return output.get();
  }
  RotatingFile::Options options = options_;
  if (!outputs_.empty()) {
    if (options_.path == "-" || outputs_.size() >= kMostLinkTypes) {
      return absl::FailedPreconditionError(absl::StrCat(
          "frames of link type ", link_type, " after those of ", outputs_[0]->link_type(),
          ": one pcap stream holds one link type; write to a file instead, then each gets its "
          "own"));
    }
    options.path = PathFor(options_.path, link_type);
  }
  auto output = Output::Open(link_type, options, now_ns);
  if (!output.ok()) return output.status();
  outputs_.push_back(*std::move(output));
  return outputs_.back().get();
}

absl::Status PcapWriter::Write(std::span<const Frame> frames, int64_t now_ns) {
  Output* output = nullptr;
  for (const Frame& frame : frames) {
    if (output == nullptr || output->link_type() != frame.link_type) {
      absl::StatusOr<Output*> found = OutputFor(frame.link_type, now_ns);
      if (!found.ok()) return found.status();
      output = *found;
    }
    if (absl::Status status = output->Write(frame, now_ns); !status.ok()) return status;
    ++frames_;
  }
  return absl::OkStatus();
}

absl::Status PcapWriter::Flush(int64_t now_ns) {
  for (auto& output : outputs_) {
    if (absl::Status status = output->Flush(now_ns); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PcapWriter::Reopen(int64_t now_ns) {
  for (auto& output : outputs_) {
    if (absl::Status status = output->Reopen(now_ns); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PcapWriter::Close(int64_t now_ns) {
  if (outputs_.empty()) {
    const auto opened = OutputFor(link_type::kEthernet, now_ns);
    if (!opened.ok()) return opened.status();
  }
  absl::Status result;
  for (auto& output : outputs_) result.Update(output->Close(now_ns));
  return result;
}

}  // namespace weir
