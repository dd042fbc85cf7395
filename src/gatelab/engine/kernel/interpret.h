// The interpreter of element-wise programs: each instruction runs over a whole tile that stays in cache.
//
// A register is a place: memory of its own, or the rows of an operand. Loading points a register to the
// operand's rows and copies nothing; a result that is to be stored is written there at once.
#pragma once
#include "functions.h"
#include "job.h"
#include "vector.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int TILE_BYTES = 1536;  // of one register: 24 vectors of AVX-512
template <class T>
constexpr int TILE = TILE_BYTES / GATELAB_BYTES;  // vectors of one register

// An operand at the current step: where the row of sequence 0 would stand; null reads as zeros.
template <class T>
struct View {
  T *base;
  long stride;
  bool padded;
};

// A tile of values: `at` is its first row, rows are `stride` numbers apart.
template <class T>
struct Slot {
  T *at;
  long stride;
};

// Where the program runs: `rows` rows from `row`, `vectors` vectors of units from `unit`.
template <class T>
struct Tile {
  int row, rows, unit, vectors, width;
  const View<T> *views;
  const T *const *vector_values;  // padded to whole vectors
  const double *constants;
  T *const *sums;  // this thread's sums over rows
  T *registers;
  T *dense;  // results of products that stand unit by unit, see Columns
  Slot<T> *slots;  // one a register
  int block;  // units of a memory block
  bool far;  // what is read and written for every step is more than the nearer caches hold

  long span() const { return long(vectors) * lanes<T>; }
  T *own(int index) const { return registers + long(index) * TILE<T> * lanes<T>; }
  // How many lanes of the last vector hold units, where rows are not filled up; 0: all.
  int tail(const View<T> &view) const {
    return view.padded || unit + span() <= width ? 0 : width % lanes<T>;
  }
  T *place(const View<T> &view) const { return view.base + row * view.stride + unit; }
};

template <class T>
inline void copy_tile(const Tile<T> &t, T *to, long to_stride, const T *from, long from_stride, int tail) {
  constexpr int L = lanes<T>;
  const int whole = t.vectors - (tail ? 1 : 0);
  for (int r = 0; r < t.rows; r++, to += to_stride, from += from_stride) {
    for (int v = 0; v < whole; v++) store(to + v * L, load(from + v * L));
    if (tail) store_some(to + whole * L, load_some(from + whole * L, tail), tail);
  }
}

template <class T>
inline void load_tile(const Tile<T> &t, int d, const View<T> &view, bool copies) {
  constexpr int L = lanes<T>;
  Slot<T> &slot = t.slots[d];
  const int tail = t.tail(view);
  if (view.base && !tail && !copies) {
    slot = {t.place(view), view.stride};
    return;
  }
  slot = {t.own(d), t.span()};
  if (tail || !view.base)
    for (int i = 0; i < t.rows * t.vectors; i++) store(slot.at + i * L, splat<T>(0));
  if (view.base) copy_tile(t, slot.at, slot.stride, t.place(view), view.stride, tail);
}

template <class T>
inline void store_tile(const Tile<T> &t, const Slot<T> &slot, const View<T> &view) {
  if (slot.at != t.place(view)) copy_tile(t, t.place(view), view.stride, slot.at, slot.stride, t.tail(view));
}

// A block's value repeated to its units.
template <class T>
inline void load_block(const Tile<T> &t, T *d, const View<T> &view) {
  const int first = t.unit / t.block, into = t.unit % t.block;
  const int live = t.width - t.unit < t.span() ? t.width - t.unit : int(t.span());
  for (int r = 0; r < t.rows; r++, d += t.span()) {
    const T *from = view.base ? view.base + (t.row + r) * view.stride + first : nullptr;
    int i = 0;
    for (int until = t.block - into; from && i < live; until += t.block, from++) {
      const T value = *from;
      for (const int end = until < live ? until : live; i < end; i++) d[i] = value;
    }
    for (; i < t.span(); i++) d[i] = 0;
  }
}

// One number a row repeated to all units.
template <class T>
inline void load_row(const Tile<T> &t, T *d, const View<T> &view) {
  for (int r = 0; r < t.rows; r++, d += t.span()) {
    const Vec<T> value = splat<T>(view.base ? view.base[(t.row + r) * view.stride] : T(0));
    for (int v = 0; v < t.vectors; v++) store(d + v * lanes<T>, value);
  }
}

template <class T>
inline void sum_row(const Tile<T> &t, const Slot<T> &slot, const View<T> &view) {
  constexpr int L = lanes<T>;
  const T *a = slot.at;
  for (int r = 0; r < t.rows; r++, a += slot.stride) {
    Vec<T> whole = splat<T>(0);
    for (int v = 0; v < t.vectors; v++) {
      const int live = t.width - t.unit - v * L;
      whole += live >= L ? load(a + v * L) : load_some(a + v * L, live);
    }
    T *to = view.base + (t.row + r) * view.stride;
    *to = (t.unit ? *to : T(0)) + sum<T>(whole);
  }
}

template <class T>
inline void sum_block(const Tile<T> &t, const Slot<T> &slot, const View<T> &view) {
  const int first = t.unit / t.block, into = t.unit % t.block;
  const int live = t.width - t.unit < t.span() ? t.width - t.unit : int(t.span());
  for (int r = 0; r < t.rows; r++) {
    const T *a = slot.at + r * slot.stride;
    T *to = view.base + (t.row + r) * view.stride + first;
    T before = into ? *to : T(0);  // the block may have begun in the panel to the left
    int i = 0;
    for (int until = t.block - into; i < live; until += t.block, before = 0) {
      for (const int end = until < live ? until : live; i < end; i++) before += a[i];
      *to++ = before;
    }
  }
}

template <class T>
inline void sum_column(const Tile<T> &t, const Slot<T> &slot, T *to) {
  constexpr int L = lanes<T>;
  for (int v = 0; v < t.vectors; v++) {
    Vec<T> whole = load(to + t.unit + v * L);
    for (int r = 0; r < t.rows; r++) whole += load(slot.at + r * slot.stride + v * L);
    store(to + t.unit + v * L, whole);
  }
}

template <class T>
inline void sum_product(const Tile<T> &t, const Slot<T> &a, const Slot<T> &b, T *to) {
  constexpr int L = lanes<T>;
  for (int v = 0; v < t.vectors; v++) {
    Vec<T> whole = load(to + t.unit + v * L);
    for (int r = 0; r < t.rows; r++) whole += load(a.at + r * a.stride + v * L) * load(b.at + r * b.stride + v * L);
    store(to + t.unit + v * L, whole);
  }
}

// One loop over a tile's vectors: `value` of the sources' vectors x, y, z and of the units' vector u.
template <int V, class T, class F>
GATELAB_INLINE void each(const Tile<T> &t, Slot<T> d, Slot<T> a, Slot<T> b, Slot<T> c, const T *u, F value) {
  constexpr int L = lanes<T>;
  const int vectors = V ? V : t.vectors;
  for (int r = 0; r < t.rows; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++)
      store(d.at + v * L, value(load(a.at + v * L), load(b.at + v * L), load(c.at + v * L), load(u + v * L)));
    d.at += d.stride;
    a.at += a.stride;
    b.at += b.stride;
    c.at += c.stride;
  }
}

// The program for tiles of `V` vectors of units; 0: any number.
template <class T, int V>
__attribute__((noinline)) void interpret_tile(const Instruction *code, const Instruction *end, const Tile<T> &t) {
  const T *const units = t.registers;  // somewhere to read where an instruction has no vector of units
  const Vec<T> one = splat<T>(1);
#define GATELAB_EACH(...)                                                                              \
  {                                                                                                    \
    each<V, T>(t, d, a, b, c, u, [&](Vec<T> x, Vec<T> y, Vec<T> z, Vec<T> w) __attribute__((always_inline)) { \
      (void)x, (void)y, (void)z, (void)w;                                                              \
      return __VA_ARGS__;                                                                              \
    });                                                                                                \
    break;                                                                                             \
  }
  for (const Instruction *o = code; o != end; o++) {
    if (o->op == LOAD) {
      load_tile(t, o->d, t.views[o->a], o->b != 0);
      continue;
    }
    const bool leaf = o->op >= LOAD_ROW && o->op <= CONSTANT;  // reads no register
    const Slot<T> a = t.slots[leaf ? 0 : o->a];
    if (o->op >= SUM_COLUMN || o->op == STORE) {
      switch (o->op) {
        case STORE: store_tile(t, a, t.views[o->d]); break;
        case SUM_COLUMN: sum_column(t, a, t.sums[o->d]); break;
        case SUM_PRODUCT: sum_product(t, a, t.slots[o->b], t.sums[o->d]); break;
        case SUM_ROW: sum_row(t, a, t.views[o->d]); break;
        case SUM_BLOCK: sum_block(t, a, t.views[o->d]); break;
      }
      continue;
    }
    const bool with_units = o->op == VECTOR || (o->op >= ADD_VECTOR && o->op <= FMA_VECTOR);
    const T *u = with_units ? t.vector_values[o->b] + t.unit : units;
    const bool immediate = leaf || (o->op >= ADD_VECTOR && o->op <= CONSTANT_SUB);  // b is no register
    const Slot<T> b = t.slots[immediate ? 0 : o->b], c = t.slots[o->c];
    Slot<T> d{t.own(o->d), t.span()};
    if (o->to >= 0 && !t.tail(t.views[o->to])) d = {t.place(t.views[o->to]), t.views[o->to].stride};
    t.slots[o->d] = d;
    switch (o->op) {
      case LOAD_ROW: t.slots[o->d] = {t.own(o->d), t.span()}; load_row(t, t.own(o->d), t.views[o->a]); break;
      case LOAD_BLOCK:
        t.slots[o->d] = {t.own(o->d), t.span()};
        load_block(t, t.own(o->d), t.views[o->a]);
        break;
      case VECTOR: GATELAB_EACH(w)
      case CONSTANT: {
        const Vec<T> k = splat<T>(T(t.constants[o->a]));
        GATELAB_EACH(k)
      }
      case NEG: GATELAB_EACH(-x)
      case SIGMOID: GATELAB_EACH(sigmoid<T>(x))
      case TANH: GATELAB_EACH(tanh<T>(x))
      case RELU: GATELAB_EACH(relu<T>(x))
      case EXP: GATELAB_EACH(exp<T>(x))
      case LOG: GATELAB_EACH(log<T>(x))
      case SQRT: GATELAB_EACH(sqrt<T>(x))
      case STEP_UP: GATELAB_EACH(step<T>(x))
      case ADD: GATELAB_EACH(x + y)
      case SUB: GATELAB_EACH(x - y)
      case MUL: GATELAB_EACH(x * y)
      case DIV: GATELAB_EACH(x / y)
      case MAXIMUM: GATELAB_EACH(maximum<T>(x, y))
      case ADD_VECTOR: GATELAB_EACH(x + w)
      case MUL_VECTOR: GATELAB_EACH(x * w)
      case FMA_VECTOR: GATELAB_EACH(x * w + z)
      case ADD_CONSTANT: {
        const Vec<T> k = splat<T>(T(t.constants[o->b]));
        GATELAB_EACH(x + k)
      }
      case MUL_CONSTANT: {
        const Vec<T> k = splat<T>(T(t.constants[o->b]));
        GATELAB_EACH(x * k)
      }
      case CONSTANT_SUB: {
        const Vec<T> k = splat<T>(T(t.constants[o->b]));
        GATELAB_EACH(k - x)
      }
      case FMA: GATELAB_EACH(x * y + z)
      case FNMA: GATELAB_EACH(z - x * y)
      case MIX: GATELAB_EACH(z + x * (y - z))
      case D_SIGMOID: GATELAB_EACH(x * y * (one - y))
      case D_TANH: GATELAB_EACH(x * (one - y * y))
    }
  }
#undef GATELAB_EACH
}

template <class T>
void interpret(const Instruction *code, const Instruction *end, const Tile<T> &t) {
  switch (t.vectors) {
    case 1: return interpret_tile<T, 1>(code, end, t);
    case 2: return interpret_tile<T, 2>(code, end, t);
    case 3: return interpret_tile<T, 3>(code, end, t);
    case 4: return interpret_tile<T, 4>(code, end, t);
    default: return interpret_tile<T, 0>(code, end, t);
  }
}

}  // namespace gatelab::GATELAB_VARIANT
