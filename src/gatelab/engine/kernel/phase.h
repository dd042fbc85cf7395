// One phase: for each tile of rows × units the sums of products, then the element-wise program.
#pragma once
#include "arena.h"
#include "interpret.h"
#include "job.h"
#include "product.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int MOST_TERMS = 64;  // vectors in one sum of products; the planner keeps to it

inline int vectors_of(int width, int lane_count) { return parts_of(width, lane_count); }

// How a phase is cut, and its weights packed accordingly.
template <class T>
struct Packed {
  Cut panels;  // vectors of units
  int column_width;  // vectors of a column of weights, at most
  int most_rows;  // rows of a tile
  T **weights;  // for each of the phase's sources, from its first
  T **starts;  // for each of the phase's groups: biases or zeros, in the order of the columns
  int first_source, first_group;
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
  packed.weights = arena.take<T *>(sources);
  packed.starts = arena.take<T *>(groups);
  for (int g = 0; g < groups && !packed.direct; g++) {
    const Group &group = program.groups[phase.groups + g];
    const long vectors = long(group.targets_end - group.targets) * total;
    T *start = arena.take<T>(vectors * lanes<T>);
    if (arena.block) packed.starts[g] = start;
    for (int s = group.sources; s < group.sources_end; s++) {
      T *weights = arena.take<T>(vectors * lanes<T> * job.widths[program.sources[s].depth]);
      if (arena.block) packed.weights[s - packed.first_source] = weights;
    }
  }
  return packed;
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
    for (int p = part; p < packed.panels.parts; p += parts) {
      const int first = packed.panels.begin(p), size = packed.panels.size(p);
      const Cut columns{targets * size, parts_of(targets * size, packed.column_width)};
      for (int c = 0; c < columns.parts; c++)
        for (int v = 0; v < columns.size(c); v++) {
          const int place = columns.begin(c) + v, unit = (first + place % size) * L;
          const int target = place / size;
          const int bias = program.targets[group.targets + target].bias;
          T *start = packed.starts[g - packed.first_group] + (long(targets) * first + place) * L;
          store(start, bias < 0 ? splat<T>(0) : load(vectors[bias] + unit));
          for (int s = group.sources; s < group.sources_end; s++) {
            const Source &source = program.sources[s];
            const int depth = job.widths[source.depth];
            const Matrix &matrix = program.matrices[source.weights + target];
            T *to = packed.weights[s - packed.first_source] +
                    (long(targets) * first + columns.begin(c)) * depth * L + v * L;
            pack_vector(to, long(columns.size(c)) * L, static_cast<const T *>(job.weights[matrix.weight]),
                        job.weight_strides[matrix.weight], matrix.transposed != 0, unit, units, depth);
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
void products(const Job &job, const Group &group, const Packed<T> &packed, int panel, const Tile<T> &tile,
              const View<T> *views, const T *start, T *const *weights, bool with_next) {
  constexpr int L = lanes<T>;
  const Program &program = *job.program;
  const int targets = group.targets_end - group.targets, size = tile.vectors;
  const Cut columns{targets * size, parts_of(targets * size, packed.column_width)};
  const long offset = long(targets) * packed.panels.begin(panel);
  Term<T> terms[MOST_TERMS];
  int sources[MOST_TERMS], count = 0;
  for (int s = group.sources; s < group.sources_end; s++) {
    const Operand &operand = program.operands[program.sources[s].operand];
    const View<T> &view = views[program.sources[s].operand];
    if (!view.base || (operand.shift > 0 && !with_next)) continue;
    terms[count] = {view.base + tile.row * view.stride, view.stride, 1, job.widths[program.sources[s].depth],
                    nullptr};
    sources[count++] = s - group.sources;
  }
  for (int g = group.targets; g < group.targets_end; g++) {
    const int index = program.targets[g].reg;
    tile.slots[index] = {tile.own(index), tile.span()};
  }
  T *out[WIDEST];
  for (int c = 0; c < columns.parts; c++) {
    const int begin = columns.begin(c), vectors = columns.size(c);
    for (int q = 0; q < count; q++)
      terms[q].column = weights[sources[q]] + (offset + begin) * terms[q].depth * L;
    for (int v = 0; v < vectors; v++) {
      const int place = begin + v;
      out[v] = tile.own(program.targets[group.targets + place / size].reg) + place % size * L;
    }
    column<T>(terms, count, tile.rows, vectors, out, long(size) * L, start + (offset + begin) * L);
  }
}

// Rows [begin, end) of one phase; only rows below `next` have a step after this one.
template <class T>
void run_phase(const Job &job, const Phase &phase, const Packed<T> &packed, Tile<T> &tile, int begin, int end,
               int next) {
  const Program &program = *job.program;
  tile.width = job.widths[phase.width];
  for (int panel = 0; panel < packed.panels.parts; panel++) {
    tile.unit = packed.panels.begin(panel) * lanes<T>;
    tile.vectors = packed.panels.size(panel);
    const int middle = next < begin ? begin : (next < end ? next : end);
    for (int half = 0; half < 2; half++) {
      const int from = half ? middle : begin, to = half ? end : middle;
      const Cut tiles{to - from, parts_of(to - from, packed.most_rows)};
      for (int k = 0; k < tiles.parts; k++) {
        tile.row = from + tiles.begin(k);
        tile.rows = tiles.size(k);
        for (int g = phase.groups; g < phase.groups_end; g++) {
          const Group &group = program.groups[g];
          if (packed.direct) {
            direct_products(job, group, tile);
            continue;
          }
          products(job, group, packed, panel, tile, tile.views, packed.starts[g - packed.first_group],
                   packed.weights + (group.sources - packed.first_source), half == 0);
        }
        interpret(program.code + phase.code, program.code + phase.code_end, tile);
      }
    }
  }
}

}  // namespace gatelab::GATELAB_VARIANT
