// The library's plain C interface, and the choice of the variant for this processor.
#include <cstring>

#include "variant.h"
#ifdef GATELAB_X86
#include "processor.h"
#endif

#define GATELAB_PUBLIC extern "C" __attribute__((visibility("default")))

namespace gatelab {

#ifdef GATELAB_X86
namespace avx512 { extern const Variant VARIANT; }
namespace avx2 { extern const Variant VARIANT; }
#endif
namespace base { extern const Variant VARIANT; }

namespace {

struct Named {
  const char *name;
  const Variant *variant;
  bool (*runs_here)();
};

const Named VARIANTS[] = {
#ifdef GATELAB_X86
    {"avx512", &avx512::VARIANT, [] { return Processor().avx512; }},
    {"avx2", &avx2::VARIANT, [] { return Processor().avx2; }},
#endif
    {"base", &base::VARIANT, [] { return true; }},
};

const Named *best() {
  for (const Named &named : VARIANTS)
    if (named.runs_here()) return &named;
  return nullptr;
}

const Named *chosen = best();

}  // namespace
}  // namespace gatelab

using gatelab::Job;

// The number of this interface; engine/library.py wants the same.
GATELAB_PUBLIC int gatelab_tile_interface() { return 2; }

// The sizes of its records, which engine/bound.py has to share.
GATELAB_PUBLIC int64_t gatelab_tile_records() {
  return int64_t(sizeof(gatelab::Program)) * 1000000 + int64_t(sizeof(Job)) * 1000 +
         int64_t(sizeof(gatelab::Instruction));
}

GATELAB_PUBLIC const char *gatelab_tile_variant() { return gatelab::chosen->name; }

// Take the variant of this name instead of the best one; 1 where it cannot run here, 2 where it is unknown.
GATELAB_PUBLIC int gatelab_tile_choose(const char *name) {
  for (const gatelab::Named &named : gatelab::VARIANTS)
    if (std::strcmp(named.name, name) == 0) {
      if (!named.runs_here()) return 1;
      gatelab::chosen = &named;
      return 0;
    }
  return 2;
}

// Numbers in a vector, so that rows of a buffer can be filled up to whole ones; wide: 0 float, 1 double.
GATELAB_PUBLIC int gatelab_tile_lanes(int wide) { return gatelab::chosen->variant->lanes[wide]; }

GATELAB_PUBLIC int64_t gatelab_tile_bytes(const Job *job, int wide) {
  return gatelab::chosen->variant->bytes[wide](*job);
}

GATELAB_PUBLIC void gatelab_tile_run(const Job *job, int wide) { gatelab::chosen->variant->run[wide](*job); }

// Losses and gradients of rows of logits; see entropy.h.
GATELAB_PUBLIC void gatelab_cross_entropy(const void *logits, const int64_t *targets, void *losses,
                                          void *gradient, int64_t rows, int64_t classes, int threads,
                                          int wide) {
  gatelab::chosen->variant->cross_entropy[wide](
      {logits, targets, losses, gradient, rows, classes, threads});
}

// Multiplications with addition that this processor does in a second, as floating-point operations.
GATELAB_PUBLIC double gatelab_tile_peak(int threads, int wide) {
  return gatelab::chosen->variant->peak[wide](threads);
}
