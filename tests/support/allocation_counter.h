// Counts what is allocated, for tests that show that nothing is. Linked only into the tests that
// call it. Thread: any.
#pragma once

#include <cstdint>

namespace weir::test {

// Calls of operator new since the program started, of all threads.
uint64_t Allocations();

}  // namespace weir::test
