// Asks the memory for a cache line that will be needed soon.
//
// A function of nothing but __builtin_prefetch, also when it reads a little to know the address, is
// one without effects in GCC's eyes (seen with GCC 12): where it is not inlined early enough, calls
// of it vanish, and with them the prefetch. The empty statement is the effect that keeps them.
//
// Any address may be given, also one that is not mapped. Thread: any.
#pragma once

namespace weir {

[[gnu::always_inline]] inline void PrefetchToRead(const void* address) {
  __builtin_prefetch(address, 0);
  asm volatile("");
}

[[gnu::always_inline]] inline void PrefetchToWrite(const void* address) {
  __builtin_prefetch(address, 1);
  asm volatile("");
}

}  // namespace weir
