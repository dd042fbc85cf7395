// One phase: for each tile of rows × units the sums of products, then the element-wise program.
#pragma once
#include "arena.h"
#include "interpret.h"
#include "job.h"
#include "product.h"
#include "threads.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int MOST_TERMS = 64;  // vectors in one sum of products; the planner keeps to it

inline int vectors_of(int width, int lane_count) { return parts_of(width, lane_count); }

// The columns of one group's weights. Usually every target has whole vectors of its own. Where its last vector
// would be filled badly, the columns are dense: all targets' units one behind the other. A target's values then
// begin anywhere, and what its last vector holds beyond its units is another target's.
template <class T>
struct Columns {
  T *start;  // biases or zeros
  int vectors;  // of all targets and units
  long dense;  // where in Tile::dense the results stand; -1: in the targets' registers
};

// How a phase is cut, and its weights packed accordingly.
template <class T>
struct Packed {
  Cut panels;  // vectors of units
  int column_width;  // vectors of a column of weights, at most
  int most_rows;  // rows of a tile
  T **weights;  // for each of the phase's sources, from its first
  Columns<T> *columns;  // one a group of the phase
  long dense_size;
  int first_source, first_group;
  bool whole;  // a later panel adds to what an earlier one has written, so no crew can share them out
  bool direct;  // so few rows that packing would cost more than it gains: the matrices are read as they are
};

constexpr long DIRECT_ROWS = 4;  // in the whole batch, as when a sequence is heard step by step

// Vectors of units in a panel, so that its columns are full and a tile's rows are many enough.
inline int panel_width(int targets, int total, int column_width, int capacity) {
  if (total <= 4 && total * 6 <= capacity) return total;
  int width = 128 / GATELAB_BYTES > 1 ? 128 / GATELAB_BYTES : 1;
  while (targets * width % column_width && width < 12) width++;
  return width < total ? width : total;
}

inline bool is_direct(const Job &job, const Phase &phase) {
  const Program &program = *job.program;
  if (job.starts[job.steps] > DIRECT_ROWS) return false;
  for (int g = phase.groups; g < phase.groups_end; g++) {
    const Group &group = program.groups[g];
    for (int s = group.sources; s < group.sources_end; s++)
      for (int k = 0; k < group.targets_end - group.targets; k++)
        if (program.matrices[program.sources[s].weights + k].transposed) return false;
  }
  return true;
}

template <class T>
Packed<T> plan_phase(const Job &job, const Phase &phase, int rows, Arena &arena) {
  const Program &program = *job.program;
  const int total = vectors_of(job.widths[phase.width], lanes<T>);
  int targets = 0;
  for (int g = phase.groups; g < phase.groups_end; g++) {
    const int count = program.groups[g].targets_end - program.groups[g].targets;
    targets = count > targets ? count : targets;
  }
  Packed<T> packed;
  packed.column_width = rows <= 2 ? WIDEST : USUAL;
  int width = targets ? panel_width(targets, total, packed.column_width, TILE<T>) : (total < 4 ? total : 4);
  packed.panels = {total, parts_of(total, width)};
  packed.most_rows = TILE<T> / parts_of(total, packed.panels.parts);
  const int groups = phase.groups_end - phase.groups;
  packed.first_group = phase.groups;
  packed.first_source = groups ? program.groups[phase.groups].sources : 0;
  const int sources = groups ? program.groups[phase.groups_end - 1].sources_end - packed.first_source : 0;
  packed.direct = is_direct(job, phase);
  packed.whole = false;
  for (int k = phase.code; k < phase.code_end; k++)
    packed.whole |= program.code[k].op == SUM_ROW || program.code[k].op == SUM_BLOCK;
  packed.weights = arena.take<T *>(sources);
  packed.columns = arena.take<Columns<T>>(groups);
  packed.dense_size = 0;
  for (int g = 0; g < groups && !packed.direct; g++) {
    const Group &group = program.groups[phase.groups + g];
    const int units = job.widths[phase.width], count = group.targets_end - group.targets;
    const int tight = vectors_of(units * count, lanes<T>);
    const bool dense = packed.panels.parts == 1 && tight < count * total;
    const int vectors = dense ? tight : count * total;
    T *start = arena.take<T>(long(vectors) * lanes<T>);
    if (arena.block) packed.columns[g] = {start, vectors, dense ? packed.dense_size : -1};
    if (dense) packed.dense_size += (long(packed.most_rows) * vectors + total) * lanes<T>;  // the last row's rest
    for (int s = group.sources; s < group.sources_end; s++) {
      T *weights = arena.take<T>(long(vectors) * lanes<T> * job.widths[program.sources[s].depth]);
      if (arena.block) packed.weights[s - packed.first_source] = weights;
    }
  }
  return packed;
}

// Where a vector of a column is packed: the biases it starts from, and in each source's weights the column's first
// number divided by the depth, and its own place in the column.
template <class T>
struct Spot {
  T *start;
  long column;
  int vectors, place;
};

// Pack units of one target from `unit` on: a whole vector, or, where `lane` is not -1, one unit into that lane. There
// is no target (-1) behind the last unit of dense columns: zeros, then.
template <class T>
void pack_units(const Job &job, const Group &group, const Packed<T> &packed, const T *const *vectors, int units,
                const Spot<T> &spot, int target, int unit, int lane) {
  constexpr int L = lanes<T>;
  const Program &program = *job.program;
  const int bias = target < 0 ? -1 : program.targets[group.targets + target].bias;
  if (lane < 0)
    store(spot.start, bias < 0 ? splat<T>(0) : load(vectors[bias] + unit));
  else
    spot.start[lane] = bias < 0 ? T(0) : vectors[bias][unit];
  for (int s = group.sources; s < group.sources_end; s++) {
    const Source &source = program.sources[s];
    const Matrix &matrix = program.matrices[source.weights + (target < 0 ? 0 : target)];
    const int depth = job.widths[source.depth];
    const T *weight = target < 0 ? nullptr : static_cast<const T *>(job.weights[matrix.weight]);
    const long stride = job.weight_strides[matrix.weight], step = long(spot.vectors) * L;
    T *to = packed.weights[s - packed.first_source] + spot.column * depth * L + spot.place * L;
    if (lane < 0)
      pack_vector(to, step, weight, stride, matrix.transposed != 0, unit, units, depth);
    else
      pack_lane(to + lane, step, weight, stride, matrix.transposed != 0, unit, depth);
  }
}

// Pack the panels `part`, `part + parts`, … of a phase's weights and biases.
template <class T>
void pack_phase(const Job &job, const Phase &phase, const Packed<T> &packed, const T *const *vectors, int part,
                int parts) {
  constexpr int L = lanes<T>;
  const Program &program = *job.program;
  const int units = job.widths[phase.width];
  for (int g = phase.groups; g < phase.groups_end && !packed.direct; g++) {
    const Group &group = program.groups[g];
    const int targets = group.targets_end - group.targets;
    const Columns<T> &all = packed.columns[g - packed.first_group];
    for (int p = part; p < packed.panels.parts; p += parts) {
      const int first = packed.panels.begin(p), size = packed.panels.size(p);
      const int most = all.dense < 0 ? targets * size : all.vectors;
      const Cut columns{most, parts_of(most, packed.column_width)};
      for (int c = 0; c < columns.parts; c++)
        for (int v = 0; v < columns.size(c); v++) {
          const int place = columns.begin(c) + v;
          const long before = long(targets) * first;
          const Spot<T> spot{all.start + (before + place) * L, before + columns.begin(c), columns.size(c), v};
          if (all.dense < 0)
            pack_units(job, group, packed, vectors, units, spot, place / size, (first + place % size) * L, -1);
          for (int lane = 0; lane < L && all.dense >= 0; lane++) {
            const int number = place * L + lane, target = number / units;
            pack_units(job, group, packed, vectors, units, spot, target < targets ? target : -1, number % units, lane);
          }
        }
    }
  }
}

// The same sums without packed weights: each number is the product of a row of the matrix and the vector.
template <class T>
void direct_products(const Job &job, const Group &group, const Tile<T> &tile) {
  const Program &program = *job.program;
  for (int g = group.targets; g < group.targets_end; g++) {
    const Target &target = program.targets[g];
    tile.slots[target.reg] = {tile.own(target.reg), tile.span()};
    for (int r = 0; r < tile.rows; r++) {
      T *out = tile.own(target.reg) + r * tile.span();
      for (int i = 0; i < tile.span(); i++)
        out[i] = target.bias < 0 ? T(0) : tile.vector_values[target.bias][tile.unit + i];
      for (int s = group.sources; s < group.sources_end; s++) {
        const Source &source = program.sources[s];
        const View<T> &view = tile.views[source.operand];
        const int weight = program.matrices[source.weights + g - group.targets].weight;
        const long stride = job.weight_strides[weight];
        const T *matrix = static_cast<const T *>(job.weights[weight]) + tile.unit * stride;
        if (!view.base) continue;
        for (int i = 0; i < tile.span() && tile.unit + i < tile.width; i++)
          out[i] += dot(matrix + i * stride, view.base + (tile.row + r) * view.stride, job.widths[source.depth]);
      }
    }
  }
}

// The sums of products of one group on one tile; without a step after this one its products are left out.
template <class T>
void products(const Job &job, const Group &group, const Packed<T> &packed, const Columns<T> &all, int panel,
              const Tile<T> &tile, T *const *weights, bool with_next, Ahead &ahead) {
  constexpr int L = lanes<T>;
  const Program &program = *job.program;
  const int targets = group.targets_end - group.targets, size = tile.vectors;
  const int most = all.dense < 0 ? targets * size : all.vectors;
  const Cut columns{most, parts_of(most, packed.column_width)};
  const long offset = long(targets) * packed.panels.begin(panel);
  Term<T> terms[MOST_TERMS];
  int sources[MOST_TERMS], count = 0;
  for (int s = group.sources; s < group.sources_end; s++) {
    const Operand &operand = program.operands[program.sources[s].operand];
    const View<T> &view = tile.views[program.sources[s].operand];
    if (!view.base || (operand.shift > 0 && !with_next)) continue;
    terms[count] = {view.base + tile.row * view.stride, view.stride, 1, job.widths[program.sources[s].depth],
                    nullptr};
    sources[count++] = s - group.sources;
  }
  T *const dense = all.dense < 0 ? nullptr : tile.dense + all.dense;
  const long stride = long(all.dense < 0 ? size : all.vectors) * L;
  for (int k = 0; k < targets; k++) {
    const int index = program.targets[group.targets + k].reg;
    tile.slots[index] = {all.dense < 0 ? tile.own(index) : dense + k * tile.width, stride};
  }
  T *out[WIDEST];
  for (int c = 0; c < columns.parts; c++) {
    const int begin = columns.begin(c), vectors = columns.size(c);
    for (int q = 0; q < count; q++)
      terms[q].column = weights[sources[q]] + (offset + begin) * terms[q].depth * L;
    for (int v = 0; v < vectors; v++) {
      const int place = begin + v;
      out[v] = all.dense < 0 ? tile.own(program.targets[group.targets + place / size].reg) + place % size * L
                             : dense + place * L;
    }
    column<T>(terms, count, tile.rows, vectors, out, stride, all.start + (offset + begin) * L, ahead);
  }
}

constexpr int MOST_AHEAD = 256;

// List the memory that a tile's program reads and writes and that no step has touched lately; return its end.
template <class T>
const char **list_ahead(const Program &program, const Phase &phase, const Tile<T> &t, const char **to) {
  const char **const end = to + MOST_AHEAD;
  for (int k = phase.code; k < phase.code_end; k++) {
    const Instruction &o = program.code[k];
    const int operand = o.op == LOAD ? o.a : (o.op == STORE ? o.d : o.to);
    if (operand < 0 || program.buffers[program.operands[operand].buffer].span != ALL) continue;
    const View<T> &view = t.views[operand];
    for (int r = 0; r < t.rows && view.base; r++) {
      const char *at = reinterpret_cast<const char *>(t.place(view) + r * view.stride);
      for (long i = 0; i < t.vectors * GATELAB_BYTES && to < end; i += PIECE) *to++ = at + i;
    }
  }
  return to;
}

// Threads that go through the same rows together, each through every so-many-th panel of units.
struct Crew {
  int index = 0, size = 1;
  Meeting *meeting = nullptr;
};

// Rows [begin, end) of one phase; only rows below `next` have a step after this one.
template <class T>
void run_phase(const Job &job, const Phase &phase, const Packed<T> &packed, Tile<T> &tile, int begin, int end,
               int next, const Crew &crew) {
  const Program &program = *job.program;
  tile.width = job.widths[phase.width];
  if (packed.whole && crew.index) return;
  for (int panel = crew.index; panel < packed.panels.parts; panel += packed.whole ? 1 : crew.size) {
    tile.unit = packed.panels.begin(panel) * lanes<T>;
    tile.vectors = packed.panels.size(panel);
    const int middle = next < begin ? begin : (next < end ? next : end);
    for (int half = 0; half < 2; half++) {
      const int from = half ? middle : begin, to = half ? end : middle;
      const Cut tiles{to - from, parts_of(to - from, packed.most_rows)};
      for (int k = 0; k < tiles.parts; k++) {
        tile.row = from + tiles.begin(k);
        tile.rows = tiles.size(k);
        const char *pieces[MOST_AHEAD];
        Ahead ahead{pieces, tile.far && !packed.direct ? list_ahead(program, phase, tile, pieces) : pieces};
        for (int g = phase.groups; g < phase.groups_end; g++) {
          const Group &group = program.groups[g];
          if (packed.direct) {
            direct_products(job, group, tile);
            continue;
          }
          products(job, group, packed, packed.columns[g - packed.first_group], panel, tile,
                   packed.weights + (group.sources - packed.first_source), half == 0, ahead);
        }
        interpret(program.code + phase.code, program.code + phase.code_end, tile);
      }
    }
  }
}

}  // namespace gatelab::GATELAB_VARIANT
