#include "engine/backend.h"

#include "absl/strings/str_cat.h"

namespace weir {

std::string_view BackendRungName(BackendRung rung) {
  switch (rung) {
    case BackendRung::kXdpZeroCopy:
      return "AF_XDP zero-copy";
    case BackendRung::kXdpCopy:
      return "AF_XDP copy";
    case BackendRung::kXdpGeneric:
      return "AF_XDP generic";
    case BackendRung::kPacket:
      return "AF_PACKET";
  }
  return "";
}

// Rungs that were refused for the same reason share it.
std::string BackendChoice::Refusals() const {
  std::string text;
  for (size_t i = 0; i < refused.size(); ++i) {
    const bool same = i + 1 < refused.size() && refused[i + 1].reason == refused[i].reason;
    absl::StrAppend(&text, std::string(BackendRungName(refused[i].rung)));
    if (same) {
      absl::StrAppend(&text, ", ");
    } else {
      absl::StrAppend(&text, ": ", refused[i].reason, i + 1 < refused.size() ? "; " : "");
    }
  }
  return text;
}

}  // namespace weir
