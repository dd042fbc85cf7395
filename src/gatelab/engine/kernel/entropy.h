// Cross-entropy of rows of logits, with its gradient: each row is read from memory once.
#pragma once
#include "functions.h"
#include "threads.h"
#include "variant.h"

namespace gatelab::GATELAB_VARIANT {

// -1 in the lanes from `first` on.
template <class T>
GATELAB_INLINE Int<T> lanes_from(int first) {
  Int<T> lane{};
  for (int i = 0; i < lanes<T>; i++) lane[i] = i;
  return lane >= (Int<T>{} + first);
}

template <class T>
GATELAB_INLINE T largest_lane(Vec<T> v) {
  T most = v[0];
  for (int i = 1; i < lanes<T>; i++) most = v[i] > most ? v[i] : most;
  return most;
}

// Where n is no whole number of vectors, the last one begins at n - lanes and overlaps the one before. A NaN
// may be passed over.
template <class T>
static T largest(const T *x, int64_t n) {
  constexpr int L = lanes<T>;
  if (n < L) {
    T most = x[0];
    for (int64_t k = 1; k < n; k++) most = x[k] > most ? x[k] : most;
    return most;
  }
  Vec<T> a = load(x + n - L), b = a, c = a, d = a;  // four, so that none waits for the one before
  int64_t k = 0;
  for (; k + 4 * L <= n; k += 4 * L) {
    a = maximum<T>(load(x + k), a);
    b = maximum<T>(load(x + k + L), b);
    c = maximum<T>(load(x + k + 2 * L), c);
    d = maximum<T>(load(x + k + 3 * L), d);
  }
  for (; k + L <= n; k += L) a = maximum<T>(load(x + k), a);
  return largest_lane<T>(maximum<T>(maximum<T>(a, b), maximum<T>(c, d)));
}

// Write exp(x - most) to `to` and return the sum.
template <class T>
static T exponentials(const T *x, int64_t n, T most, T *to) {
  constexpr int L = lanes<T>;
  const Vec<T> shift = splat<T>(most);
  if (n < L) {
    const Vec<T> e = exp_to_40<T>(load_some(x, int(n)) - shift);
    store_some(to, e, int(n));
    return sum<T>(select<T>(lanes_from<T>(int(n)), Vec<T>{}, e));
  }
  Vec<T> total{};
  int64_t k = 0;
  for (; k + L <= n; k += L) {
    const Vec<T> e = exp_to_40<T>(load(x + k) - shift);
    store(to + k, e);
    total += e;
  }
  if (k < n) {
    const Vec<T> e = exp_to_40<T>(load(x + n - L) - shift);
    store(to + n - L, e);  // what lies there already is the same
    total += select<T>(lanes_from<T>(L - int(n - k)), e, Vec<T>{});
  }
  return sum<T>(total);
}

template <class T>
static void scale(T *x, int64_t n, T factor) {
  constexpr int L = lanes<T>;
  if (n < L) {
    store_some(x, load_some(x, int(n)) * factor, int(n));
    return;
  }
  const Vec<T> last = load(x + n - L) * factor;  // before the loop, which takes a part of it
  for (int64_t k = 0; k + L <= n; k += L) store(x + k, load(x + k) * factor);
  store(x + n - L, last);
}

// NaN and infinity come out as the definition has them: every lane that holds one enters the sum.
template <class T>
static void entropy_of(const T *x, int64_t n, int64_t target, T *loss, T *gradient) {
  const T most = largest(x, n);
  const T total = exponentials(x, n, most, gradient);
  *loss = T(__builtin_log(double(total)) + (double(most) - double(x[target])));
  scale(gradient, n, 1 / total);
  gradient[target] -= 1;
}

// loss[i] = -log softmax(logits[i])[targets[i]], gradient[i] = softmax(logits[i]) - onehot(targets[i]).
template <class T>
static void cross_entropy(const Entropy &job) {
  in_parallel(job.threads, [&job](int part, int parts) {
    const int64_t n = job.classes;
    for (int64_t i = job.rows * part / parts; i < job.rows * (part + 1) / parts; i++)
      entropy_of<T>(static_cast<const T *>(job.logits) + i * n, n, job.targets[i],
                    static_cast<T *>(job.losses) + i, static_cast<T *>(job.gradient) + i * n);
  });
}

}  // namespace gatelab::GATELAB_VARIANT
