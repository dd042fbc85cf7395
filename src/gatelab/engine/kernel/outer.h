// Gradients of the weights: sums over all rows of left × right, after the loop, as one long product each.
//
// The rows are taken in chunks. Of a chunk all right-hand sides are packed once, in columns of a few vectors, and
// the left-hand sides some tiles at a time; a column stays in the nearest cache while the tiles go by. The same
// blocks as in the loop do the work.
#pragma once
#include "arena.h"
#include "job.h"
#include "product.h"
#include "share.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int CHUNK = 256;  // rows at a time
constexpr int LEFT = ACCUMULATORS == 24 ? 8 : 6;  // numbers of a left-hand row in a tile
constexpr int COLUMN = ACCUMULATORS / LEFT;  // vectors of a right-hand row in a column
constexpr int TILES = 8;  // tiles of a left-hand side at a time

// Where the rows of an operand stand, row by row of the batch.
template <class T>
struct Rows {
  const Job &job;
  const Operand &operand;
  long step = 0;

  const T *at(long row) {
    const Program &program = *job.program;
    const long stride = job.strides[operand.buffer];
    const T *base = static_cast<const T *>(job.buffers[operand.buffer]);
    if (program.buffers[operand.buffer].span == STEP) return base;  // one value for all rows
    if (operand.shift == 0) return base + row * stride;
    while (row >= job.starts[step + 1]) step++;
    const long place = row - job.starts[step];
    if (step > 0) return base + (job.starts[step - 1] + place) * stride;
    if (operand.start < 0 || !job.buffers[operand.start]) return nullptr;
    return static_cast<const T *>(job.buffers[operand.start]) + place * job.strides[operand.start];
  }
};

template <class T>
struct OuterSpace {
  T **rights;  // for each outer product: its packed right-hand side
  T *left, *sums;
  double **totals;  // for each outer product without a right-hand side: its sum so far
};

// The first outer product with the same right-hand side.
inline int same_right(const Program &program, int index) {
  for (int k = 0; k < index; k++)
    if (program.outers[k].right == program.outers[index].right) return k;
  return index;
}

template <class T>
OuterSpace<T> outer_space(Arena &arena, const Job &job) {
  const Program &program = *job.program;
  OuterSpace<T> space;
  space.rights = arena.take<T *>(program.n_outers);
  space.totals = arena.take<double *>(program.n_outers);
  for (int k = 0; k < program.n_outers; k++) {
    if (program.outers[k].right < 0) {
      double *total = arena.take<double>(outer_width(job, program.outers[k].left));
      if (arena.block) space.totals[k] = total;
      continue;
    }
    const int first = same_right(program, k);
    T *mine = nullptr;
    if (first == k) mine = arena.take<T>(long(CHUNK) * (outer_width(job, program.outers[k].right) + lanes<T>));
    if (arena.block) space.rights[k] = first == k ? mine : space.rights[first];
  }
  space.left = arena.take<T>(CHUNK * LEFT * TILES);
  space.sums = arena.take<T>(LEFT * COLUMN * lanes<T>);
  return space;
}

inline Cut columns_of(int width, int lane_count) {
  const int vectors = parts_of(width, lane_count);
  return {vectors, parts_of(vectors, COLUMN)};
}

// Pack a chunk of right-hand rows: each column as [rows][vectors].
template <class T>
void pack_right(T *packed, Rows<T> &rows, long first, int count, int width) {
  constexpr int L = lanes<T>;
  const Cut columns = columns_of(width, L);
  for (int k = 0; k < count; k++) {
    const T *from = rows.at(first + k);
    for (int c = 0; c < columns.parts; c++) {
      const int begin = columns.begin(c), vectors = columns.size(c);
      T *to = packed + long(begin) * count * L + long(k) * vectors * L;
      for (int v = 0; v < vectors; v++) {
        const int unit = (begin + v) * L, live = width - unit < L ? width - unit : L;
        store(to + v * L, from ? (live == L ? load(from + unit) : load_some(from + unit, live)) : splat<T>(0));
      }
    }
  }
}

// Pack `size` numbers of each left-hand row, tile by tile, each as [rows][LEFT].
template <class T>
void pack_left(T *packed, const T *from, long stride, int count, int size) {
  for (int m = 0; m < size; m += LEFT, packed += CHUNK * LEFT, from += LEFT) {
    if (size - m >= LEFT) {
      for (int k = 0; k < count; k++) __builtin_memcpy(packed + k * LEFT, from + k * stride, LEFT * sizeof(T));
    } else {
      for (int k = 0; k < count; k++)
        for (int q = 0; q < size - m; q++) packed[k * LEFT + q] = from[k * stride + q];
    }
  }
}

template <class T>
void add_sums(T *to, long stride, const T *sums, int rows, int vectors, int live, bool first) {
  constexpr int L = lanes<T>;
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) {
      T *at = to + r * stride + v * L;
      const Vec<T> value = load(sums + (r * vectors + v) * L);
      const int here = live - v * L;
      if (here >= L)
        store(at, first ? value : value + load(at));
      else
        store_some(at, first ? value : value + load_some(at, here), here);
    }
}

// Rows [begin, end) of one gradient from a packed chunk.
template <class T>
void outer_block(T *gradient, int width, const T *left, const T *right, T *sums, int begin, int end, int count,
                 bool first) {
  constexpr int L = lanes<T>;
  alignas(64) T zeros[COLUMN * L] = {};
  Ahead none{};
  const Cut columns = columns_of(width, L);
  for (int c = 0; c < columns.parts; c++) {
    const int from = columns.begin(c), vectors = columns.size(c);
    T *out[COLUMN];
    for (int v = 0; v < vectors; v++) out[v] = sums + v * L;
    for (int m = begin; m < end; m += LEFT) {
      const int rows = end - m < LEFT ? end - m : LEFT;
      const Term<T> term{left + long(m - begin) * CHUNK, 1, LEFT, count, right + long(from) * count * L};
      for (int r = 0; r < rows; r++)  // used when the block is done, and far away by now
        for (int v = 0; v < vectors; v++) __builtin_prefetch(gradient + long(m + r) * width + (from + v) * L, 1);
      column<T>(&term, 1, rows, vectors, out, vectors * L, zeros, none);
      add_sums(gradient + long(m) * width + from * L, width, sums, rows, vectors, width - from * L, first);
    }
  }
}

// Add rows of a left-hand side to their sum, in double precision from chunk to chunk.
template <class T>
void add_rows(double *total, const T *left, long stride, int size, int count, bool first) {
  constexpr int L = lanes<T>;
  for (int m = 0; m < size; m += L) {
    const int live = size - m < L ? size - m : L;
    Vec<T> whole = splat<T>(0);
    for (int k = 0; k < count; k++)
      whole += live == L ? load(left + k * stride + m) : load_some(left + k * stride + m, live);
    for (int q = 0; q < live; q++) total[m + q] = (first ? 0.0 : total[m + q]) + double(whole[q]);
  }
}

// This part's share of all gradients: of each left-hand side some tiles, always the same rows of a gradient.
template <class T>
void outer_products(const Job &job, int part, int parts, const OuterSpace<T> &space) {
  const Program &program = *job.program;
  const long rows = job.starts[job.steps];
  for (long chunk = 0; chunk < rows; chunk += CHUNK) {
    const int count = int(rows - chunk < CHUNK ? rows - chunk : CHUNK);
    for (int k = 0; k < program.n_outers; k++) {
      if (program.outers[k].right < 0 || same_right(program, k) != k) continue;
      Rows<T> right{job, program.operands[program.outers[k].right]};
      pack_right(space.rights[k], right, chunk, count, outer_width(job, program.outers[k].right));
    }
    for (int begin = 0, end; begin < program.n_outers; begin = end) {
      const int operand = program.outers[begin].left, height = outer_width(job, operand);
      for (end = begin; end < program.n_outers && program.outers[end].left == operand;) end++;
      const int buffer = program.operands[operand].buffer;
      const T *left = static_cast<const T *>(job.buffers[buffer]) + chunk * job.strides[buffer];
      const Cut share{parts_of(height, LEFT), parts};
      const int from = share.begin(part) * LEFT, most = share.begin(part + 1) * LEFT;
      const int to = most < height ? most : height;
      for (int m = from; m < to; m += TILES * LEFT) {
        const int until = to < m + TILES * LEFT ? to : m + TILES * LEFT;
        pack_left(space.left, left + m, job.strides[buffer], count, until - m);
        for (int k = begin; k < end; k++) {
          const Outer &outer = program.outers[k];
          if (outer.right < 0) {
            add_rows(space.totals[k] + m, left + m, job.strides[buffer], until - m, count, chunk == 0);
            continue;
          }
          outer_block(static_cast<T *>(job.gradients[outer.gradient]), outer_width(job, outer.right), space.left,
                      space.rights[k], space.sums, m, until, count, chunk == 0 && !outer.more);
        }
      }
      for (int k = begin; k < end && chunk + CHUNK >= rows; k++)
        for (int m = from; m < to && program.outers[k].right < 0; m++)
          static_cast<T *>(job.sum_gradients[program.outers[k].gradient])[m] = T(space.totals[k][m]);
    }
  }
}

}  // namespace gatelab::GATELAB_VARIANT
