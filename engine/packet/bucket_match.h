// Eight 32-bit tags compared at once.
#pragma once

#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir {

// Bit i is set where tags[i] == tag. `tags` is aligned to 16 bytes.
inline uint32_t MatchTags(const uint32_t* tags, uint32_t tag) {
#ifdef __SSE2__
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
  const __m128i* lanes = reinterpret_cast<const __m128i*>(tags);
  const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(lanes), wanted);
  const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(lanes + 1), wanted);
  const __m128i bytes = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
  return static_cast<uint32_t>(_mm_movemask_epi8(bytes));
#else
  uint32_t matches = 0;
  for (int i = 0; i < 8; ++i) matches |= static_cast<uint32_t>(tags[i] == tag) << i;
  return matches;
#endif
}

}  // namespace weir
