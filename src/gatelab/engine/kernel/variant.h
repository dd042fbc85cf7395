// What each compiled variant offers; the index is 0 for float, 1 for double.
#pragma once
#include "job.h"

namespace gatelab {

// Rows of logits [rows, classes] with a target each, 0 to classes - 1; none of them empty. What is written:
// losses [rows] and gradient [rows, classes].
struct Entropy {
  const void *logits;
  const int64_t *targets;
  void *losses, *gradient;
  int64_t rows, classes;
  int threads;
};

struct Variant {
  int64_t (*bytes[2])(const Job &);  // of scratch memory
  void (*run[2])(const Job &);
  int lanes[2];
  void (*cross_entropy[2])(const Entropy &);
  double (*peak[2])(int threads);  // floating-point operations a second, measured
};

}  // namespace gatelab
