// System calls that the filter refuses are told of. Installed before the filter.
#pragma once

namespace weir {

// From now on a thread that makes a call which the filter traps (SECCOMP_RET_TRAP of seccomp(2))
// gets EPERM, and the call's name and its first arguments stand on standard error, once for each
// call. Every thread must leave SIGSYS unblocked: where it is blocked the kernel ends the process.
//
// False: the processor is one for which that is not written, and the filter must refuse by itself.
bool TellOfRefusedCalls();

}  // namespace weir
