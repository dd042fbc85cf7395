// How exact functions.h is. Compiled once for each variant with GATELAB_VARIANT, which gives that variant's
// `Table` of functions, and once without, which gives the program that measures them against the C library.
//
//   kernel_functions FIRST STRIDE POINTS
//
// takes every STRIDE-th float from FIRST on and POINTS doubles, and prints a line for each variant this
// machine can run:
//   VARIANT TYPE FUNCTION LARGEST_ERROR_IN_ULP AT_X
// The error is 0 if each value is the true one rounded, and infinite where a special value is wrong.
// `wrong VARIANT: …` tells of a fault in vector.h.
struct Table {
  template <class T> struct Of {
    void (*exp)(const T*, T*), (*tanh)(const T*, T*), (*sigmoid)(const T*, T*), (*log)(const T*, T*);
    void (*sqrt)(const T*, T*), (*relu)(const T*, T*), (*step)(const T*, T*);
    const char* (*fault)();  // what of vector.h does not work, or null
  };
  Of<float> of_float;
  Of<double> of_double;
};
constexpr int block = 1024;  // values a call takes

#ifdef GATELAB_VARIANT
#include "functions.h"

using namespace gatelab::GATELAB_VARIANT;

namespace {
#define OVER_BLOCK(name)                                                                             \
  template <class T> void name##_block(const T* x, T* y) {                                           \
    for (int i = 0; i < block; i += lanes<T>) store(y + i, name<T>(load(x + i)));                    \
  }
OVER_BLOCK(exp) OVER_BLOCK(tanh) OVER_BLOCK(sigmoid) OVER_BLOCK(log) OVER_BLOCK(sqrt) OVER_BLOCK(relu)
OVER_BLOCK(step)

template <class T> const char* fault_of_some() {
  for (int n = 0; n <= lanes<T>; ++n) {
    T* from = new T[n];  // not one lane more, for the sanitizer
    T* to = new T[n];
    for (int i = 0; i < n; ++i) from[i] = T(i + 1);
    const Vec<T> v = load_some(from, n);
    store_some(to, v, n);
    bool good = sum<T>(v) == T(n * (n + 1) / 2);
    for (int i = 0; i < lanes<T>; ++i) good = good && v[i] == (i < n ? T(i + 1) : T(0));
    for (int i = 0; i < n; ++i) good = good && to[i] == from[i];
    delete[] from;
    delete[] to;
    if (!good) return "load_some, store_some or sum";
  }
  return nullptr;
}

template <class T> const char* fault() {
  if (!__builtin_signbit(splat<T>(-T(0))[lanes<T> - 1])) return "splat";
  T memory[lanes<T> + 1] = {};
  for (int i = 0; i <= lanes<T>; ++i) memory[i] = T(i % 3);
  const Vec<T> a = load(memory + 1), b = splat<T>(1), nan = splat<T>(T(__builtin_nan("")));
  const Vec<T> larger = maximum<T>(a, b), smaller = minimum<T>(a, b), chosen = select<T>(a > b, b, a);
  for (int i = 0; i < lanes<T>; ++i) {
    const T x = memory[i + 1];
    if (a[i] != x || larger[i] != (x > 1 ? x : 1) || smaller[i] != (x < 1 ? x : 1)) return "load or maximum";
    if (chosen[i] != (x > 1 ? 1 : x)) return "select";
    if (maximum<T>(nan, b)[i] != 1 || maximum<T>(b, nan)[i] == 1) return "maximum of NaN";
  }
  return fault_of_some<T>();
}

template <class T> constexpr Table::Of<T> table() {
  return {exp_block<T>, tanh_block<T>, sigmoid_block<T>, log_block<T>,
          sqrt_block<T>, relu_block<T>, step_block<T>, fault<T>};
}
}  // namespace

#define NAME_OF(variant) table_##variant
#define NAME(variant) NAME_OF(variant)
extern const Table NAME(GATELAB_VARIANT) = {table<float>(), table<double>()};

#else
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

extern const Table table_base;
#ifdef __x86_64__
extern const Table table_avx2, table_avx512;
#endif

namespace {
struct Variant {
  const char* name;
  const Table* table;
};

std::vector<Variant> variants() {
  std::vector<Variant> all = {{"base", &table_base}};
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back({"avx2", &table_avx2});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    all.push_back({"avx512", &table_avx512});
#endif
  return all;
}

const Table::Of<float>& of(const Table& table, float) { return table.of_float; }
const Table::Of<double>& of(const Table& table, double) { return table.of_double; }

// The type in which the true value is computed.
template <class T> struct Wider;
template <> struct Wider<float> { using type = double; };
template <> struct Wider<double> { using type = long double; };
template <class T> using Wide = typename Wider<T>::type;

// One ulp of T at the true value: epsilon times its power of two, which the bits of the exponent are. Below
// the normal range it is the distance of two subnormals.
template <class T> Wide<T> ulp(Wide<T> truth) {
  using Limits = std::numeric_limits<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const T size = std::min(T(std::abs(truth)), Limits::max());
  Bits bits;
  std::memcpy(&bits, &size, sizeof bits);
  bits &= Bits(-1) << (Limits::digits - 1);
  T power;
  std::memcpy(&power, &bits, sizeof power);
  return Wide<T>(std::max(power, Limits::min())) * Limits::epsilon();
}

// Infinity counts as the first power of two beyond T's range, so that overflow is judged like any rounding.
template <class T> Wide<T> finite(Wide<T> x) {
  const Wide<T> edge = std::ldexp(Wide<T>(1), std::numeric_limits<T>::max_exponent);
  return std::abs(x) > edge ? std::copysign(edge, x) : x;
}

template <class T> double error(T y, Wide<T> truth) {
  if (std::isnan(truth)) return std::isnan(y) ? 0 : HUGE_VAL;
  if (truth == 0 || std::isinf(truth))
    return y == T(truth) && std::signbit(y) == std::signbit(truth) ? 0 : HUGE_VAL;
  if (std::isnan(y)) return HUGE_VAL;
  return double(std::abs(finite<T>(y) - finite<T>(truth)) / ulp<T>(finite<T>(truth)));
}

// Whether y is the true value rounded: then no error need be computed, which makes the sweep twice as fast.
template <class T> bool rounded(T y, Wide<T> truth) {
  const T best = T(truth);
  return std::memcmp(&y, &best, sizeof y) == 0;
}

template <class T> struct Function {
  const char* name;
  Wide<T> (*truth)(Wide<T>);
  void (*Table::Of<T>::*block)(const T*, T*);
};

template <class T> const std::vector<Function<T>> functions = {
    {"exp", [](Wide<T> x) { return std::exp(x); }, &Table::Of<T>::exp},
    {"tanh", [](Wide<T> x) { return std::tanh(x); }, &Table::Of<T>::tanh},
    {"sigmoid", [](Wide<T> x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); },
     &Table::Of<T>::sigmoid},
    {"log", [](Wide<T> x) { return x < 0 ? Wide<T>(NAN) : std::log(x); }, &Table::Of<T>::log},
    {"sqrt", [](Wide<T> x) { return x < 0 ? Wide<T>(NAN) : std::sqrt(x); }, &Table::Of<T>::sqrt},
    {"relu", [](Wide<T> x) { return x < 0 ? Wide<T>(0) : x; }, &Table::Of<T>::relu},
    {"step", [](Wide<T> x) { return x > 0 ? Wide<T>(1) : Wide<T>(0); }, &Table::Of<T>::step},
};

struct Worst {
  double error = 0, at = 0;
};

// Blocks of arguments are collected; each full one is measured on every variant with one true value for all.
template <class T> class Sweep {
 public:
  void add(T x) {
    x_[count_++] = x;
    if (count_ == block) measure();
  }

  void finish() {
    while (count_) add(T(1));
    for (std::size_t f = 0; f < functions<T>.size(); ++f)
      for (std::size_t v = 0; v < variants_.size(); ++v)
        std::printf("%s %s %s %.3f %a\n", variants_[v].name, sizeof(T) == 4 ? "float" : "double",
                    functions<T>[f].name, worst_[f][v].error, worst_[f][v].at);
  }

 private:
  void measure() {
    count_ = 0;
    for (std::size_t f = 0; f < functions<T>.size(); ++f) {
      for (int i = 0; i < block; ++i) truth_[i] = functions<T>[f].truth(x_[i]);
      for (std::size_t v = 0; v < variants_.size(); ++v) compare(f, v);
    }
  }

  void compare(std::size_t f, std::size_t v) {
    (of(*variants_[v].table, T()).*functions<T>[f].block)(x_, y_);
    const bool bounded = f == 1 || f == 2;  // |tanh| and sigmoid never pass 1
    for (int i = 0; i < block; ++i) {
      if (rounded<T>(y_[i], truth_[i])) continue;
      const double e = bounded && std::abs(y_[i]) > 1 ? HUGE_VAL : error<T>(y_[i], truth_[i]);
      if (e > worst_[f][v].error) worst_[f][v] = {e, double(x_[i])};
    }
  }

  std::vector<Variant> variants_ = variants();
  Worst worst_[7][3];
  T x_[block], y_[block];
  Wide<T> truth_[block];
  int count_ = 0;
};

// NaN, zeros, infinities and the ends of the normal and subnormal ranges, in both signs.
template <class T> void add_special(Sweep<T>& sweep) {
  using Limits = std::numeric_limits<T>;
  for (T x : {T(0), T(1), Limits::infinity(), Limits::max(), Limits::min(), Limits::denorm_min(),
              std::nextafter(Limits::min(), T(0)), Limits::epsilon(), Limits::quiet_NaN()}) {
    sweep.add(x);
    sweep.add(-x);
  }
}

void sweep_floats(std::uint64_t first, std::uint64_t stride) {
  Sweep<float> sweep;
  add_special(sweep);
  for (std::uint64_t pattern = first; pattern < (1ull << 32); pattern += stride) {
    const std::uint32_t low = std::uint32_t(pattern);
    float x;
    std::memcpy(&x, &low, sizeof x);
    sweep.add(x);
  }
  sweep.finish();
}

// Half the doubles have patterns spread evenly, so all exponents come; the others lie evenly in [-3, 3] and
// in [-800, 800], where exp goes from 0 to infinity.
void sweep_doubles(std::uint64_t points) {
  Sweep<double> sweep;
  add_special(sweep);
  for (std::uint64_t i = 0; i < points / 2; ++i) {
    const std::uint64_t pattern = i * 0x9e3779b97f4a7c15;  // the golden ratio's fraction
    double x;
    std::memcpy(&x, &pattern, sizeof x);
    sweep.add(x);
    sweep.add((double(pattern >> 11) * 0x1p-52 - 1) * (i % 2 ? 800 : 3));
  }
  sweep.finish();
}

template <class T> void print_faults() {
  for (const Variant& variant : variants())
    if (const char* what = of(*variant.table, T()).fault()) std::printf("wrong %s: %s\n", variant.name, what);
}
}  // namespace

int main(int, char** arguments) {
  print_faults<float>();
  print_faults<double>();
  sweep_floats(std::strtoull(arguments[1], nullptr, 10), std::strtoull(arguments[2], nullptr, 10));
  sweep_doubles(std::strtoull(arguments[3], nullptr, 10));
}
#endif
