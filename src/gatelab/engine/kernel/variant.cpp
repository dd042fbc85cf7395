// The tile machine for one instruction set; compiled once for each (see CMakeLists.txt).
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

extern const Variant VARIANT;
const Variant VARIANT{{bytes<float>, bytes<double>}, {run<float>, run<double>}, {lanes<float>, lanes<double>}};

}  // namespace gatelab::GATELAB_VARIANT
