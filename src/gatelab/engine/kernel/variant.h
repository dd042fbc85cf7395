// What each compiled variant offers; the index is 0 for float, 1 for double.
#pragma once
#include "job.h"

namespace gatelab {

struct Variant {
  int64_t (*bytes[2])(const Job &);  // of scratch memory
  void (*run[2])(const Job &);
  int lanes[2];
  double (*peak[2])(int threads);  // floating-point operations a second, measured
};

}  // namespace gatelab
