// What the doctor says of one thing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::doctor {

enum class Health : uint8_t {
  kFine,
  kUnknown,  // could not be found out; `says` tells why
  kAdvice,   // works, and could be better
  kMend,     // loses frames, falsifies them, or keeps weir from running
};

struct Finding {
  Health health = Health::kFine;
  std::string check;              // "offloads"
  std::string says;               // one sentence
  std::vector<std::string> mend;  // commands for a shell, to be run one after another by root
};

}  // namespace weir::doctor
