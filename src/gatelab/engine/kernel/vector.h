// One vector of floats or doubles, as wide as the machine's registers.
//
// The same source is compiled once for each instruction set, with
//   GATELAB_VARIANT  avx512 | avx2 | base   the namespace of everything here
//   GATELAB_BYTES    64     | 32   | 16     the width of a register (GCC splits wider vectors into lanes)
// Everything is always inlined and inside the variant's namespace. No std:: template is instantiated: its
// weak symbol could be kept from the AVX-512 object and then run on a machine without it.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && GATELAB_BYTES == 64
#define GATELAB_AVX512 1
#else
#define GATELAB_AVX512 0
#endif

#define GATELAB_INLINE static inline __attribute__((always_inline))

namespace gatelab::GATELAB_VARIANT {

template <class T> struct Types;
template <> struct Types<float> {
  typedef float Vec __attribute__((vector_size(GATELAB_BYTES)));
  typedef int32_t Int __attribute__((vector_size(GATELAB_BYTES)));
  typedef uint32_t Bits __attribute__((vector_size(GATELAB_BYTES)));
};
template <> struct Types<double> {
  typedef double Vec __attribute__((vector_size(GATELAB_BYTES)));
  typedef int64_t Int __attribute__((vector_size(GATELAB_BYTES)));
  typedef uint64_t Bits __attribute__((vector_size(GATELAB_BYTES)));
};

template <class T> using Vec = typename Types<T>::Vec;
template <class T> using Int = typename Types<T>::Int;    // what a comparison gives: -1 or 0 in each lane
template <class T> using Bits = typename Types<T>::Bits;  // unsigned, so that shifts and sums may wrap
template <class T> constexpr int lanes = GATELAB_BYTES / int(sizeof(T));

// Subtracting 0 changes no number, -0 included, so the compiler drops it; adding 0 would turn -0 into 0.
template <class T> GATELAB_INLINE Vec<T> splat(T value) { return value - Vec<T>{}; }

template <class T> GATELAB_INLINE Vec<T> load(const T* from) {
  Vec<T> v;
  __builtin_memcpy(&v, from, sizeof v);  // one unaligned load
  return v;
}

template <class T> GATELAB_INLINE void store(T* to, Vec<T> v) { __builtin_memcpy(to, &v, sizeof v); }

template <class T> GATELAB_INLINE Bits<T> bits(Vec<T> v) { return (Bits<T>)v; }
template <class T> GATELAB_INLINE Vec<T> value(Bits<T> b) { return (Vec<T>)b; }

// In each lane: mask ? a : b. The mask is a comparison's result.
template <class T> GATELAB_INLINE Vec<T> select(Int<T> mask, Vec<T> a, Vec<T> b) { return mask ? a : b; }

// What compilers do not find in portable code. maximum is a > b ? a : b, minimum a < b ? a : b in each lane,
// so the second operand comes out where either is NaN. On AVX-512 a full mask, which costs nothing, spares us
// an operand that GCC's headers leave undefined.
#if GATELAB_AVX512
#define GATELAB_MACHINE(T, Register, type, full) \
  GATELAB_INLINE Vec<T> machine_max(Vec<T> a, Vec<T> b) { \
    return (Vec<T>)_mm512_maskz_max_##type(full, (Register)a, (Register)b); \
  } \
  GATELAB_INLINE Vec<T> machine_min(Vec<T> a, Vec<T> b) { \
    return (Vec<T>)_mm512_maskz_min_##type(full, (Register)a, (Register)b); \
  } \
  GATELAB_INLINE Vec<T> machine_sqrt(Vec<T> x) { \
    return (Vec<T>)_mm512_maskz_sqrt_##type(full, (Register)x); \
  }
GATELAB_MACHINE(float, __m512, ps, 0xffff)
GATELAB_MACHINE(double, __m512d, pd, 0xff)
#elif defined(__AVX2__) && GATELAB_BYTES == 32 || defined(__SSE2__) && GATELAB_BYTES == 16
#define GATELAB_MACHINE(T, Register, max, min, sqrt) \
  GATELAB_INLINE Vec<T> machine_max(Vec<T> a, Vec<T> b) { return (Vec<T>)max((Register)a, (Register)b); } \
  GATELAB_INLINE Vec<T> machine_min(Vec<T> a, Vec<T> b) { return (Vec<T>)min((Register)a, (Register)b); } \
  GATELAB_INLINE Vec<T> machine_sqrt(Vec<T> x) { return (Vec<T>)sqrt((Register)x); }
#if GATELAB_BYTES == 32
GATELAB_MACHINE(float, __m256, _mm256_max_ps, _mm256_min_ps, _mm256_sqrt_ps)
GATELAB_MACHINE(double, __m256d, _mm256_max_pd, _mm256_min_pd, _mm256_sqrt_pd)
#else
GATELAB_MACHINE(float, __m128, _mm_max_ps, _mm_min_ps, _mm_sqrt_ps)
GATELAB_MACHINE(double, __m128d, _mm_max_pd, _mm_min_pd, _mm_sqrt_pd)
#endif
#else
template <class V> GATELAB_INLINE V machine_max(V a, V b) { return a > b ? a : b; }
template <class V> GATELAB_INLINE V machine_min(V a, V b) { return a < b ? a : b; }
template <class V> GATELAB_INLINE V machine_sqrt(V x) {
  for (unsigned i = 0; i < sizeof x / sizeof x[0]; ++i)
    x[i] = sizeof x[0] == 4 ? __builtin_sqrtf(x[i]) : __builtin_sqrt(x[i]);
  return x;
}
#endif
#undef GATELAB_MACHINE

template <class T> GATELAB_INLINE Vec<T> maximum(Vec<T> a, Vec<T> b) { return machine_max(a, b); }
template <class T> GATELAB_INLINE Vec<T> minimum(Vec<T> a, Vec<T> b) { return machine_min(a, b); }
template <class T> GATELAB_INLINE Vec<T> sqrt(Vec<T> x) { return machine_sqrt(x); }

// The first n lanes; the others are zero, and their memory is not touched.
template <class T> GATELAB_INLINE Vec<T> load_some(const T* from, int n) {
#if GATELAB_AVX512
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
  else return (Vec<T>)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), from);
#else
  Vec<T> v{};
  for (int i = 0; i < lanes<T>; ++i)
    if (i < n) v[i] = from[i];
  return v;
#endif
}

template <class T> GATELAB_INLINE void store_some(T* to, Vec<T> v, int n) {
#if GATELAB_AVX512
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), (__m512)v);
  else _mm512_mask_storeu_pd(to, (__mmask8)((1u << n) - 1), (__m512d)v);
#else
  for (int i = 0; i < lanes<T>; ++i)
    if (i < n) to[i] = v[i];
#endif
}

// The sum over the lanes, halving the vector until one register of 16 bytes is left.
template <class T, int bytes = GATELAB_BYTES, class V> GATELAB_INLINE T sum_of(V v) {
  if constexpr (bytes == 2 * sizeof(T)) {
    return v[0] + v[1];
  } else {
    typedef T Half __attribute__((vector_size(bytes / 2)));
    Half low, high;
    __builtin_memcpy(&low, &v, sizeof low);
    __builtin_memcpy(&high, (const char*)&v + sizeof low, sizeof high);
    return sum_of<T, bytes / 2>(low + high);
  }
}

template <class T> GATELAB_INLINE T sum(Vec<T> v) { return sum_of<T>(v); }

}  // namespace gatelab::GATELAB_VARIANT
