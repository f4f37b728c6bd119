// Whose bytes stay where a new segment covers a place that a waiting piece covers: a table of
// policy, and of where the new one starts and ends beside the piece.
//
// The rule, to the byte. A new segment is first cut to what is not settled: behind the bytes that
// were delivered or given up, before the stream's end and depth. Then each waiting piece that it
// touches, as that piece lies in the queue (what is left of what came as one segment, after earlier
// cuts), is judged by itself: Relate(new start, piece start), Relate(new end, piece end), both of
// the new segment as a whole. Where the old bytes win the new segment is cut around them; where the
// new ones win the piece is cut, in two if need be. So pieces never overlap, and every part that is
// left is a piece of its own.
//
// Sources. [N] J. Novak and S. Sturges, "Target-Based TCP Stream Reassembly", Sourcefire 2007,
// whose tests ran against the systems themselves; [S] Suricata's host-os-policy
// (stream-tcp-list.c), whose groups these are; [P] U. Shankar and V. Paxson, "Active Mapping", IEEE
// S&P 2003, for first, last and bsd.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/packet/overlap_policy.h"

namespace weir {

enum class Relation : uint8_t { kBefore, kSame, kAfter };

constexpr Relation Relate(uint64_t fresh, uint64_t old) {
  if (fresh == old) return Relation::kSame;
  return fresh < old ? Relation::kBefore : Relation::kAfter;
}

namespace overlap_internal {

// Bit `start * 3 + end`: the new bytes win.
using Cells = uint16_t;
constexpr Cells Cell(Relation start, Relation end) {
  return static_cast<Cells>(1u << (static_cast<unsigned>(start) * 3 + static_cast<unsigned>(end)));
}
constexpr Cells AnyEnd(Relation start) {
  return Cell(start, Relation::kBefore) | Cell(start, Relation::kSame) |
         Cell(start, Relation::kAfter);
}

inline constexpr Relation kBefore = Relation::kBefore;
inline constexpr Relation kSame = Relation::kSame;
inline constexpr Relation kAfter = Relation::kAfter;

inline constexpr Cells kNever = 0;
inline constexpr Cells kAlways = AnyEnd(kBefore) | AnyEnd(kSame) | AnyEnd(kAfter);
// "Favors the original, except when the new segment starts before it" [N, P].
inline constexpr Cells kStartsBefore = AnyEnd(kBefore);
// The same, "or starts at the same place and ends behind it" [N: Linux 2.4 and later].
inline constexpr Cells kLinuxCells = kStartsBefore | Cell(kSame, kAfter);
// The same, "or starts at the same place and ends at or behind it" [N: Linux 2.2 and before].
inline constexpr Cells kOldLinuxCells = kLinuxCells | Cell(kSame, kSame);
// "Favors the new one where it covers the original or reaches behind it" [N: Solaris, HP-UX 11].
inline constexpr Cells kCoversOrReaches = Cell(kBefore, kSame) | Cell(kBefore, kAfter) |
                                          Cell(kSame, kSame) | Cell(kSame, kAfter) |
                                          Cell(kAfter, kAfter);

inline constexpr std::array<Cells, kOverlapPolicies> kCells = {
    kNever,            // kFirst [P]
    kAlways,           // kLast [P]
    kStartsBefore,     // kBsd [N, S]
    kStartsBefore,     // kBsdRight: fragments only, else BSD [N names no such TCP]
    kOldLinuxCells,    // kOldLinux [N, S]
    kLinuxCells,       // kLinux [N, S]
    kCoversOrReaches,  // kOldSolaris [S: as kSolaris, StreamTcpSetOSPolicy in stream-tcp.c]
    kCoversOrReaches,  // kSolaris [N, S]
    kStartsBefore,     // kHpux10 [N, S]
    kCoversOrReaches,  // kHpux11 [S]
    kStartsBefore,     // kIrix [N, S]
    kStartsBefore,     // kMacos [N, S]
    kStartsBefore,     // kWindows [N, S]
    kNever,            // kVista [N: "Windows Vista favors the original"; S]
    kStartsBefore,     // kWindows2k3 [N, S]
};

}  // namespace overlap_internal

constexpr bool NewWins(OverlapPolicy policy, Relation start, Relation end) {
  return (overlap_internal::kCells[static_cast<size_t>(policy)] &
          overlap_internal::Cell(start, end)) != 0;
}

// False: what came first stays, wherever it lies, and bytes in order are settled at once.
constexpr bool NewCanWin(OverlapPolicy policy) {
  return overlap_internal::kCells[static_cast<size_t>(policy)] != 0;
}

}  // namespace weir
