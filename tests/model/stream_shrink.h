// Makes a failing case as small as it gets and still fails.
#pragma once

#include <functional>

#include "tests/model/stream_case.h"

namespace weir::test {

// `fails` runs a case from a fresh start.
StreamCase Shrink(StreamCase test_case, const std::function<bool(const StreamCase&)>& fails);

}  // namespace weir::test
