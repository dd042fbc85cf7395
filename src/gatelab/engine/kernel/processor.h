// What this x86-64 processor can run, and its operating system keeps when it switches threads.
//
// Asked of the processor itself: the runtime of Zig's compiler, which builds where there is no other, answers
// __builtin_cpu_supports with no, whatever is asked (its lib/compiler_rt/fmv.zig).
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, sections 14.3 and 15.2.
#pragma once
#include <cpuid.h>

namespace gatelab {

struct Processor {
  bool avx2 = false;    // with FMA
  bool avx512 = false;  // F, DQ, BW and VL, with FMA

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const bool fma = c >> 12 & 1, osxsave = c >> 27 & 1;
    if (!fma || !osxsave || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    unsigned kept, high;  // registers that the system saves: bits 1 and 2 to 256 bits, 5 to 7 to 512
    __asm__("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
    avx2 = (kept & 0x06) == 0x06 && b >> 5 & 1;
    avx512 = (kept & 0xe6) == 0xe6 && b >> 16 & 1 && b >> 17 & 1 && b >> 30 & 1 && b >> 31 & 1;
  }
};

}  // namespace gatelab
