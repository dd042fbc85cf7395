// Small matrix products: rows × units, a block of them in registers, weights packed as they are read.
//
// One panel is some vectors of units for all targets of a group; it is cut into columns of at most
// `column_width` vectors. A column is packed as [depth][vectors], so the innermost loop reads it straight.
#pragma once
#include "vector.h"

namespace gatelab::GATELAB_VARIANT {

#if GATELAB_BYTES == 64 || defined(__aarch64__)
constexpr int ACCUMULATORS = 24;  // of 32 registers; the rest holds weights and one number of the rows
#else
constexpr int ACCUMULATORS = 12;  // of 16
#endif
constexpr int WIDEST = ACCUMULATORS / 2;  // vectors of a column when there are one or two rows
constexpr int USUAL = ACCUMULATORS / 6;  // with more: six rows

// One vector of a sum of products, at the first row of a tile, with the packed column of its weights.
template <class T>
struct Term {
  const T *rows;
  long stride;  // from row to row
  long next;  // from one number of the vector to the next
  int depth;
  const T *column;
};

// Pieces of memory, PIECE bytes each, that are wanted when a product is done. A block asks for one of them every
// few steps, so that they come while it computes; to ask for all of them at once would be to wait for them.
struct Ahead {
  const char *const *next, *const *end;
};
constexpr int PIECE = 256;

constexpr int most_rows(int vectors) {
  int rows = ACCUMULATORS / vectors;
  return rows > 12 ? 12 : rows;
}

// Sums of products for `R` rows and `V` vectors of units: out[v] + r * stride = start[v] + Σ terms.
template <class T, int R, int V>
__attribute__((noinline)) void block(const Term<T> *terms, int count, int row, T *const *out, long stride,
                                     const T *start, Ahead &ahead) {
  // With few accumulators the multiplications wait for each other: several sums are kept, then added.
  constexpr int SUMS = R * V >= 8 ? 1 : (R * V >= 4 ? 2 : 4);
  constexpr int L = lanes<T>;
  Vec<T> sum[SUMS][R][V];
#pragma GCC unroll 4
  for (int s = 0; s < SUMS; s++)
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
#pragma GCC unroll 12
      for (int v = 0; v < V; v++) sum[s][r][v] = s ? splat<T>(0) : load(start + v * L);
  const char *const *piece = ahead.next, *const *const end = ahead.end;
  for (int q = 0; q < count; q++) {
    const long step = terms[q].stride, next = terms[q].next;
    const T *a = terms[q].rows + row * step;
    const T *w = terms[q].column;
    const int depth = terms[q].depth;
    int k = 0;
    for (; k + SUMS <= depth; k += SUMS, w += SUMS * V * L, a += SUMS * next) {
      if (k % 4 == 0 && piece != end) {
        const char *at = *piece++;
#pragma GCC unroll 4
        for (int line = 0; line < PIECE; line += 64) __builtin_prefetch(at + line, 0, 2);
      }
#pragma GCC unroll 4
      for (int s = 0; s < SUMS; s++) {
        Vec<T> weights[V];
#pragma GCC unroll 12
        for (int v = 0; v < V; v++) weights[v] = load(w + (s * V + v) * L);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) {
          const Vec<T> x = splat<T>(a[r * step + s * next]);
#pragma GCC unroll 12
          for (int v = 0; v < V; v++) sum[s][r][v] += x * weights[v];
        }
      }
    }
    for (; SUMS > 1 && k < depth; k++, w += V * L, a += next) {
#pragma GCC unroll 12
      for (int r = 0; r < R; r++) {
        const Vec<T> x = splat<T>(a[r * step]);
#pragma GCC unroll 12
        for (int v = 0; v < V; v++) sum[0][r][v] += x * load(w + v * L);
      }
    }
  }
  ahead.next = piece;
#pragma GCC unroll 12
  for (int r = 0; r < R; r++)
#pragma GCC unroll 12
    for (int v = 0; v < V; v++) {
      Vec<T> whole = sum[0][r][v];
#pragma GCC unroll 4
      for (int s = 1; s < SUMS; s++) whole += sum[s][r][v];
      store(out[v] + r * stride, whole);
    }
}

template <class T>
using Block = void (*)(const Term<T> *, int, int, T *const *, long, const T *, Ahead &);

template <class T, int V, int R = 1>
constexpr void fill_blocks(Block<T> (&table)[WIDEST + 1][13]) {
  table[V][R] = block<T, R, V>;
  if constexpr (R < most_rows(V))
    fill_blocks<T, V, R + 1>(table);
  else if constexpr (V < WIDEST)
    fill_blocks<T, V + 1, 1>(table);
}

template <class T>
struct Blocks {
  Block<T> table[WIDEST + 1][13] = {};
  constexpr Blocks() { fill_blocks<T, 1>(table); }
};

template <class T>
inline constexpr Blocks<T> BLOCKS{};

// How the vectors of a width are cut into panels, and a panel's vectors into columns: as equal as can be.
struct Cut {
  int total, parts;
  int begin(int part) const { return int(long(total) * part / parts); }
  int size(int part) const { return begin(part + 1) - begin(part); }
};

inline int parts_of(int total, int most) { return (total + most - 1) / most; }

// All rows of a tile for one column: blocks of rows as equal as can be.
template <class T>
void column(const Term<T> *terms, int count, int rows, int vectors, T *const *out, long stride, const T *start,
            Ahead &ahead) {
  const Cut cut{rows, parts_of(rows, most_rows(vectors))};
  T *moved[WIDEST];
  for (int part = 0; part < cut.parts; part++) {
    const int row = cut.begin(part);
    for (int v = 0; v < vectors; v++) moved[v] = out[v] + row * stride;
    BLOCKS<T>.table[vectors][cut.size(part)](terms, count, row, moved, stride, start, ahead);
  }
}

// The product of two vectors of numbers; four sums at once, so that none waits for another.
template <class T>
inline T dot(const T *a, const T *b, int size) {
  constexpr int L = lanes<T>;
  Vec<T> sums[4] = {splat<T>(0), splat<T>(0), splat<T>(0), splat<T>(0)};
  int k = 0;
  for (; k + 4 * L <= size; k += 4 * L)
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) sums[q] += load(a + k + q * L) * load(b + k + q * L);
  for (; k + L <= size; k += L) sums[0] += load(a + k) * load(b + k);
  if (k < size) sums[1] += load_some(a + k, size - k) * load_some(b + k, size - k);
  return sum<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Pack one unit of one matrix: packed[k * step] for k in 0 … depth; zeros where there is no matrix.
template <class T>
void pack_lane(T *packed, long step, const T *weight, long stride, bool transposed, int unit, int depth) {
  const long next = transposed ? stride : 1;
  const T *from = weight ? weight + (transposed ? unit : unit * stride) : nullptr;
  for (int k = 0; k < depth; k++) packed[k * step] = from ? from[k * next] : T(0);
}

// Pack one vector's worth of units of one matrix: packed[k * step + lane] for k in 0 … depth.
template <class T>
void pack_vector(T *packed, long step, const T *weight, long stride, bool transposed, int unit, int units,
                 int depth) {
  constexpr int L = lanes<T>;
  const int live = units - unit < L ? units - unit : L;
  if (transposed) {
    for (int k = 0; k < depth; k++) store(packed + k * step, load_some(weight + k * stride + unit, live));
    return;
  }
  for (int lane = 0; lane < L; lane++)
    pack_lane(packed + lane, step, lane < live ? weight : nullptr, stride, false, unit + lane, depth);
}

}  // namespace gatelab::GATELAB_VARIANT
