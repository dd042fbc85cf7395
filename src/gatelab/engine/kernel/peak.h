// The processor's raw speed: multiplications with addition, nothing else, in as many registers as it takes.
#pragma once
#include "vector.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int CHAINS = 12;  // sums at once; more than the latency of an addition asks for

// Do `rounds` times CHAINS operations on vectors; return what the compiler may not leave out.
template <class T>
__attribute__((noinline)) T multiply_and_add(long rounds) {
  Vec<T> sums[CHAINS];
#pragma GCC unroll 12
  for (int k = 0; k < CHAINS; k++) sums[k] = splat<T>(T(k));
  const Vec<T> factor = splat<T>(T(0.9999)), more = splat<T>(T(0.5));
  for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int k = 0; k < CHAINS; k++) sums[k] = sums[k] * factor + more;
    __asm__ volatile("");  // a round is a round
  }
  Vec<T> whole = sums[0];
#pragma GCC unroll 12
  for (int k = 1; k < CHAINS; k++) whole += sums[k];
  return sum<T>(whole);
}

// Floating-point operations of so many rounds.
template <class T>
constexpr double round_flops = 2.0 * CHAINS * lanes<T>;

}  // namespace gatelab::GATELAB_VARIANT
