// Gradients of the weights: sums over all rows of left × right, after the loop, as one long product each.
//
// The rows are taken in chunks. A chunk of the right-hand rows is packed once and serves every gradient that
// has it; columns of the left-hand rows are packed six at a time. The same blocks as in the loop do the work.
#pragma once
#include "arena.h"
#include "job.h"
#include "product.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int CHUNK = 192;  // rows at a time: a chunk of both sides stays in cache
constexpr int LEFT = 6;  // columns of the left-hand side at a time
constexpr int STRIP = USUAL * 2;  // vectors of the right-hand side at a time; two columns

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
  T *right, *left, *sums;
};

template <class T>
OuterSpace<T> outer_space(Arena &arena, const Job &job) {
  long widest = 1;
  for (int k = 0; k < job.program->n_outers; k++) {
    const Operand &right = job.program->operands[job.program->outers[k].right];
    const long width = job.widths[job.program->buffers[right.buffer].width];
    widest = width > widest ? width : widest;
  }
  OuterSpace<T> space;
  space.right = arena.take<T>(CHUNK * (widest + lanes<T>));
  space.left = arena.take<T>(CHUNK * LEFT);
  space.sums = arena.take<T>(LEFT * STRIP * lanes<T>);
  return space;
}

// Pack a chunk of the right-hand rows: strips of vectors, each column of a strip as [rows][vectors].
template <class T>
void pack_right(T *packed, Rows<T> &rows, long first, int count, int width) {
  constexpr int L = lanes<T>;
  const Cut strips{parts_of(width, L), parts_of(parts_of(width, L), STRIP)};
  for (int k = 0; k < count; k++) {
    const T *from = rows.at(first + k);
    for (int p = 0; p < strips.parts; p++) {
      const Cut columns{strips.size(p), parts_of(strips.size(p), USUAL)};
      for (int c = 0; c < columns.parts; c++) {
        const int begin = strips.begin(p) + columns.begin(c), vectors = columns.size(c);
        T *to = packed + long(begin) * count * L + long(k) * vectors * L;
        for (int v = 0; v < vectors; v++) {
          const int unit = (begin + v) * L, live = width - unit < L ? width - unit : L;
          store(to + v * L, from ? (live == L ? load(from + unit) : load_some(from + unit, live)) : splat<T>(0));
        }
      }
    }
  }
}

template <class T>
void pack_left(T *packed, const T *from, long stride, int count, int columns) {
  if (columns == LEFT) {
    for (int k = 0; k < count; k++) __builtin_memcpy(packed + k * LEFT, from + k * stride, LEFT * sizeof(T));
    return;
  }
  for (int k = 0; k < count; k++)
    for (int m = 0; m < columns; m++) packed[k * LEFT + m] = from[k * stride + m];
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

// `rows` rows of one gradient from one packed chunk.
template <class T>
void outer_tile(T *gradient, int width, const T *left, const T *right, T *sums, int rows, int count, bool first) {
  constexpr int L = lanes<T>;
  const Cut strips{parts_of(width, L), parts_of(parts_of(width, L), STRIP)};
  alignas(64) T zeros[USUAL * L] = {};
  for (int p = 0; p < strips.parts; p++) {
    const Cut columns{strips.size(p), parts_of(strips.size(p), USUAL)};
    for (int c = 0; c < columns.parts; c++) {
      const int begin = strips.begin(p) + columns.begin(c), vectors = columns.size(c);
      const Term<T> term{left, 1, LEFT, count, right + long(begin) * count * L};
      T *out[USUAL];
      for (int v = 0; v < vectors; v++) out[v] = sums + v * L;
      column<T>(&term, 1, rows, vectors, out, vectors * L, zeros);
      add_sums(gradient + begin * L, width, sums, rows, vectors, width - begin * L, first);
    }
  }
}

// This part's share of the gradients whose right-hand side is the same: outers [begin, end).
template <class T>
void outer_group(const Job &job, int begin, int end, int part, int parts, const OuterSpace<T> &space) {
  const Program &program = *job.program;
  const Operand &right = program.operands[program.outers[begin].right];
  const int width = job.widths[program.buffers[right.buffer].width];
  const long rows = job.starts[job.steps];
  long tiles = 0;
  for (int k = begin; k < end; k++)
    tiles += parts_of(job.widths[program.buffers[program.operands[program.outers[k].left].buffer].width], LEFT);
  const long from = tiles * part / parts, to = tiles * (part + 1) / parts;
  if (from == to) return;
  Rows<T> right_rows{job, right};
  for (long chunk = 0; chunk < rows; chunk += CHUNK) {
    const int count = int(rows - chunk < CHUNK ? rows - chunk : CHUNK);
    pack_right(space.right, right_rows, chunk, count, width);
    long tile = 0;
    for (int k = begin; k < end; k++) {
      const Outer &outer = program.outers[k];
      const int buffer = program.operands[outer.left].buffer;
      const int height = job.widths[program.buffers[buffer].width];
      const T *left = static_cast<const T *>(job.buffers[buffer]) + chunk * job.strides[buffer];
      T *gradient = static_cast<T *>(job.gradients[outer.gradient]);
      for (int m = 0; m < height; m += LEFT, tile++) {
        if (tile < from || tile >= to || !gradient) continue;
        const int columns = height - m < LEFT ? height - m : LEFT;
        pack_left(space.left, left + m, job.strides[buffer], count, columns);
        outer_tile(gradient + long(m) * width, width, space.left, space.right, space.sums, columns, count,
                   chunk == 0 && !outer.more);
      }
    }
  }
}

template <class T>
void outer_products(const Job &job, int part, int parts, const OuterSpace<T> &space) {
  const Program &program = *job.program;
  for (int begin = 0; begin < program.n_outers;) {
    int end = begin + 1;
    while (end < program.n_outers && program.outers[end].right == program.outers[begin].right) end++;
    outer_group(job, begin, end, part, parts, space);
    begin = end;
  }
}

}  // namespace gatelab::GATELAB_VARIANT
