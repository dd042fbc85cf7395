// The tile machine for one instruction set; compiled once for each (see CMakeLists.txt).
#include "entropy.h"
#include "peak.h"
#include "sequence.h"
#include "variant.h"

namespace gatelab::GATELAB_VARIANT {

template <class T>
static int64_t bytes(const Job &job) {
  return Machine<T>(job, nullptr).bytes();
}

template <class T>
static void run(const Job &job) {
  Machine<T>(job, job.scratch).run();
}

// The best of some short measurements on all threads at once.
template <class T>
static double peak(int threads) {
  constexpr long ROUNDS = 400000;
  double best = 0;
  for (int k = 0; k < 20; k++) {
    volatile T sink = 0;
    const double began = seconds();
    in_parallel(threads, [&sink](int, int) { sink = multiply_and_add<T>(ROUNDS); });
    const double speed = double(threads) * ROUNDS * round_flops<T> / (seconds() - began);
    best = speed > best ? speed : best;
  }
  return best;
}

extern const Variant VARIANT;
const Variant VARIANT{{bytes<float>, bytes<double>},
                      {run<float>, run<double>},
                      {lanes<float>, lanes<double>},
                      {cross_entropy<float>, cross_entropy<double>},
                      {peak<float>, peak<double>}};

}  // namespace gatelab::GATELAB_VARIANT
