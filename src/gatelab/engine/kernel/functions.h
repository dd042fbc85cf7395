// Vector exp, tanh, sigmoid, log and the small functions of cells, for float and double.
//
// exp, tanh, sigmoid and log are within 4 ulp of the true value everywhere, subnormal results included (we
// measure 1.1, 2.5, 3.1 and 0.9), and |tanh|, sigmoid <= 1. Signed zeros, infinities and NaN come out as in
// C's mathematics. There is no branch.
// tests/engine/kernel_functions.cpp measures all of it.
//
// The coefficients are our own minimax fits (Remez's exchange in 50 digits, the error weighted to be relative
// to the function), then rounded; each comment gives the fitted function and its largest error.
#pragma once
#include "vector.h"

namespace gatelab::GATELAB_VARIANT {

// What differs between the two types. `magic` is the number whose ulp is 1: after `x + magic` the low bits
// are round(x) as an integer, in two's complement.
template <class T> struct Number;

template <> struct Number<float> {
  static constexpr int mantissa = 23, bias = 127, sign = 31;
  static constexpr float magic = 0x1.8p23f;
  static constexpr float exp_low = -104.0f, exp_high = 89.0f;  // beyond: 0 and infinity
  static constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;  // n * ln2_high is exact
  static constexpr float log_tiny = 0x1p-126f, log_lift = 0x1p23f;
  static constexpr uint32_t sqrt_half = 0x3f3504f3;

  // (e^r - 1 - r) / r^2 on |r| < 0.347; e^r to 2^-27 and e^r - 1 to 2^-26.
  GATELAB_INLINE Vec<float> exp_tail(Vec<float> r) {
    const Vec<float> r2 = r * r;
    const Vec<float> a = 0.166665431618726522f * r + 0.49999998146362119f;
    const Vec<float> b = 0.00836658189596293577f * r + 0.0416672013686393952f;
    return (0.00138825295030662436f * r2 + b) * r2 + a;
  }

  // (log((1 + s) / (1 - s)) / s - 2) / s^2 in z = s^2 on |s| < 0.1717; the logarithm to 2^-29.
  GATELAB_INLINE Vec<float> log_tail(Vec<float> z) {
    return (0.298744202789354505f * z + 0.399774494872457838f) * z + 0.666667770535454937f;
  }
};

template <> struct Number<double> {
  static constexpr int mantissa = 52, bias = 1023, sign = 63;
  static constexpr double magic = 0x1.8p52;
  static constexpr double exp_low = -746.0, exp_high = 710.0;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double log_tiny = 0x1p-1022, log_lift = 0x1p52;
  static constexpr uint64_t sqrt_half = 0x3fe6a09e667f3bcd;

  // As above; e^r to 2^-57 and e^r - 1 to 2^-55.
  GATELAB_INLINE Vec<double> exp_tail(Vec<double> r) {
    const Vec<double> r2 = r * r, r4 = r2 * r2;
    const Vec<double> a = 0.166666666666665886 * r + 0.500000000000000523;
    const Vec<double> b = 0.00833333333338996165 * r + 0.0416666666665761082;
    const Vec<double> c = 0.000198412697183348629 * r + 0.00138888889317951238;
    const Vec<double> d = 2.75574078722088802e-6 * r + 0.0000248015049787542117;
    const Vec<double> e = 2.50537739473750928e-8 * r + 2.76261614668400579e-7;
    return (e * r4 + (d * r2 + c)) * r4 + (b * r2 + a);
  }

  // As above; the logarithm to 2^-58.
  GATELAB_INLINE Vec<double> log_tail(Vec<double> z) {
    const Vec<double> z2 = z * z;
    const Vec<double> a = 0.39999999999407475 * z + 0.666666666666673538;
    const Vec<double> b = 0.222221983782457251 * z + 0.28571428744143874;
    const Vec<double> c = 0.153137554862885066 * z + 0.181835751767205919;
    return ((0.147990687423494203 * z2 + c) * z2 + b) * z2 + a;
  }
};

template <class T> GATELAB_INLINE Vec<T> sign_bit() { return value<T>((Bits<T>{} + 1) << Number<T>::sign); }

template <class T> GATELAB_INLINE Vec<T> absolute(Vec<T> x) {
  return value<T>(bits<T>(x) & ~bits<T>(sign_bit<T>()));
}

template <class T> GATELAB_INLINE Vec<T> with_sign(Vec<T> x, Vec<T> of) {
  return value<T>(bits<T>(x) | (bits<T>(of) & bits<T>(sign_bit<T>())));
}

// NaN stays NaN: it compares false, and the second operand is x.
template <class T> GATELAB_INLINE Vec<T> clamp(Vec<T> x, T low, T high) {
  return maximum<T>(splat<T>(low), minimum<T>(splat<T>(high), x));
}

template <class T> GATELAB_INLINE Vec<T> relu(Vec<T> x) { return maximum<T>(Vec<T>{}, x); }

template <class T> GATELAB_INLINE Vec<T> step(Vec<T> x) {
  return x > Vec<T>{} ? splat<T>(1) : Vec<T>{};
}

// x = n ln 2 + r with n = round(x / ln 2) and |r| < 0.347. The low bits of `shifted` hold n + offset.
template <class T> struct Reduced { Vec<T> shifted, n, r; };

template <class T> GATELAB_INLINE Reduced<T> reduce(Vec<T> x, T magic) {
  const Vec<T> shifted = x * T(1.44269504088896340736) + magic;
  const Vec<T> n = shifted - magic;
  const Vec<T> r = (x - n * Number<T>::ln2_high) - n * Number<T>::ln2_low;
  return {shifted, n, r};
}

// 2^k from a number whose low bits are k + bias, k in the normal range: those bits are moved to the exponent.
template <class T> GATELAB_INLINE Vec<T> power_of_two(Vec<T> shifted) {
  return value<T>(bits<T>(shifted) << Number<T>::mantissa);
}

#if GATELAB_AVX512
// exp between exp_low and exp_high, with the instruction that multiplies by 2^n in one rounding for every n.
GATELAB_INLINE Vec<double> exp_inside(Vec<double> x) {
  const auto [shifted, n, r] = reduce<double>(x, Number<double>::magic);
  const Vec<double> tail = r + r * r * Number<double>::exp_tail(r);
  return (Vec<double>)_mm512_maskz_scalef_pd(0xff, (__m512d)(1 + tail), (__m512d)n);
}

// Here n counts sixteenths: 2^(n mod 1) comes from a table as large as one register, |r| < 0.0217 needs two
// terms (e^r to 2^-29), and the instruction drops n's fraction by itself. It saves a sixth of the time.
GATELAB_INLINE Vec<float> exp_inside(Vec<float> x) {
  static constexpr float powers[16] = {
      0x1.000000p+0f, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f, 0x1.306fe0p+0f, 0x1.3dea64p+0f,
      0x1.4bfdaep+0f, 0x1.5ab07ep+0f, 0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f,
      0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
  const auto [shifted, n, r] = reduce<float>(x, Number<float>::magic / 16);
  const Vec<float> tail = r + r * r * (0.166667185718f * r + 0.500016189823f);
  const __m512 power = _mm512_maskz_permutexvar_ps(0xffff, (__m512i)shifted, (__m512)load(powers));
  const __m512 y = (__m512)(tail * (Vec<float>)power + (Vec<float>)power);
  return (Vec<float>)_mm512_maskz_scalef_ps(0xffff, y, (__m512)n);
}
#endif

template <class T> GATELAB_INLINE Vec<T> exp(Vec<T> x) {
  using N = Number<T>;
  x = clamp<T>(x, N::exp_low, N::exp_high);
#if GATELAB_AVX512
  return exp_inside(x);
#else
  const auto [shifted, n, r] = reduce<T>(x, N::magic + 2 * N::bias);
  const Vec<T> tail = r + r * r * N::exp_tail(r);
  // 2^n in two halves: n itself may lie outside the exponents, and the last product alone may round.
  const Bits<T> both = bits<T>(shifted) << N::mantissa;
  const Bits<T> half = (both >> 1) >> N::mantissa << N::mantissa;
  const Vec<T> first = value<T>(half), second = value<T>(both - half);
  return (tail * first + first) * second;
#endif
}

// exp up to 40, with fewer steps than above: n + lift is a normal exponent, and the last product underflows
// gradually.
template <class T> GATELAB_INLINE Vec<T> exp_to_40(Vec<T> x) {
  using N = Number<T>;
  x = clamp<T>(x, N::exp_low, 40);
#if GATELAB_AVX512
  return exp_inside(x);
#else
  constexpr int lift = sizeof(T) == 4 ? 64 : 512;
  const auto [shifted, n, r] = reduce<T>(x, N::magic + N::bias + lift);
  const Vec<T> tail = r + r * r * N::exp_tail(r);
  const Vec<T> scale = power_of_two<T>(shifted);
  return (tail * scale + scale) * value<T>((Bits<T>{} + (N::bias - lift)) << N::mantissa);
#endif
}

// e / (1 + e) with e = exp(x): far below zero this is e, and from 40 on it is 1 though e grows no further.
template <class T> GATELAB_INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp_to_40<T>(x);
  return e / (e + 1);
}

// With m = exp(-2|x|) - 1 it is -m / (m + 2), and x's sign. A quotient of polynomials in x^2 is a tenth
// faster but errs by 5.5 ulp near 1, where its many roundings weigh most. One product with ln 2 suffices: the
// error that n brings into r is multiplied by 2^n.
template <class T> GATELAB_INLINE Vec<T> tanh(Vec<T> x) {
  using N = Number<T>;
  constexpr T magic = N::magic + N::bias;
  const Vec<T> y = maximum<T>(splat<T>(-40), with_sign<T>(x + x, sign_bit<T>()));
  const Vec<T> shifted = y * T(1.44269504088896340736) + magic;
  const Vec<T> n = shifted - magic;
  const Vec<T> r = y - n * T(0.693147180559945309417);
  const Vec<T> tail = r + r * r * N::exp_tail(r);
  const Vec<T> scale = power_of_two<T>(shifted);
  const Vec<T> m = tail * scale + (scale - 1);
  return with_sign<T>(absolute<T>(m / (m + 2)), x);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f),
// log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 tail(s^2)).
template <class T> GATELAB_INLINE Vec<T> log(Vec<T> x) {
  using N = Number<T>;
  const Int<T> small = x < N::log_tiny;  // a subnormal x is lifted into the normal range
  const Bits<T> b = bits<T>(select<T>(small, x * N::log_lift, x));
  // The exponent as x's distance to sqrt(1/2), so that 1 + f lands in the wanted range.
  const Bits<T> distance = b - N::sqrt_half;
  const Int<T> exponent = (Int<T>)distance >> N::mantissa;
  const Vec<T> f = value<T>(b - (distance >> N::mantissa << N::mantissa)) - 1;
  const Vec<T> lifted = select<T>(small, splat<T>(N::mantissa), Vec<T>{});
  const Vec<T> k = __builtin_convertvector(exponent, Vec<T>) - lifted;
  const Vec<T> s = f / (f + 2), z = s * s, half = T(0.5) * f * f;
  const Vec<T> tail = s * (half + z * N::log_tail(z)) + k * N::ln2_low;
  const Vec<T> y = k * N::ln2_high + (f - (half - tail));
  const Vec<T> infinity = splat<T>(__builtin_inf()), nan = splat<T>(__builtin_nan(""));
  const Vec<T> edge = x < Vec<T>{} ? nan : x == Vec<T>{} ? -infinity : x;  // x itself: infinity or NaN
  return select<T>((x > Vec<T>{}) & (x < infinity), y, edge);
}

}  // namespace gatelab::GATELAB_VARIANT
