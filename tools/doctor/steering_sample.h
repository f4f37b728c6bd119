// Finds out whether the device brings both directions of a flow to one receive queue, by looking:
// one packet socket for each queue (PACKET_FANOUT_QM), and which flows come to several of them.
//
// Needs CAP_NET_RAW. Takes DoctorOptions::sample_ns. The network namespace is the calling thread's.
#pragma once

#include "tools/doctor/doctor_options.h"
#include "tools/doctor/facts.h"

namespace weir::doctor {

SteeringFacts LookAtSteering(const DoctorOptions& options);

}  // namespace weir::doctor
