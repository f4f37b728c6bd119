// Privileges given up, for tests of what can be done without them.
#pragma once

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>

namespace weir::test {

// The calling thread has no capabilities but these (CAP_*) from now on; other threads keep theirs.
inline void KeepOnlyCapabilities(std::initializer_list<int> kept) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (const int capability : kept) {
    data[capability / 32].permitted |= uint32_t{1} << capability % 32;
    data[capability / 32].effective |= uint32_t{1} << capability % 32;
  }
  ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
}

}  // namespace weir::test
