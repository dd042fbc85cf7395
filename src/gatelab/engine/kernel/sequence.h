// A whole job: before the loop, each step, after the loop; and the memory it needs beside its buffers.
#pragma once
#include "outer.h"
#include "phase.h"
#include "threads.h"

namespace gatelab::GATELAB_VARIANT {

constexpr int FEW_ROWS = 256;  // sums over rows are carried to double precision after so many
constexpr int64_t FAR_BYTES = 8 << 20;  // from here on memory is asked for ahead of its use
constexpr int SPAN_ROWS = 48;  // rows at a time before and after the loop

// What one thread has for itself.
template <class T>
struct Desk {
  View<T> *views;
  T *registers, *dense;
  Slot<T> *slots;
  T **sums;  // over rows, one array a vector's gradient
  double **totals;
  OuterSpace<T> outer;
};

template <class T>
class Machine {
 public:
  Machine(const Job &job, void *scratch) : job(job), program(*job.program), arena{static_cast<char *>(scratch)} {
    batch = job.steps ? job.starts[1] : 0;
    threads = useful_threads(job);
    owners = int(threads < batch ? threads : batch);
    crew = useful_crew(job, owners, threads);
    far = bytes_of_all_steps() > FAR_BYTES;
    const int rows = owners ? int((batch + owners - 1) / owners) : 0;
    phases = arena.take<Packed<T>>(program.n_phases);
    for (int k = 0; k < program.n_phases; k++) {
      const bool all_rows = within(program.before, k) || within(program.after, k);
      const Packed<T> packed = plan_phase<T>(job, program.phases[k], all_rows ? SPAN_ROWS : rows, arena);
      dense_size = packed.dense_size > dense_size ? packed.dense_size : dense_size;
      if (arena.block) phases[k] = packed;
    }
    vectors = arena.take<T *>(program.n_vectors);
    for (int k = 0; k < program.n_vectors; k++) place(vectors, k, arena.take<T>(padded(job.vector_widths[k])));
    bounds = arena.take<long>(threads + 1);
    meetings = arena.take<Meeting>(owners);
    desks = arena.take<Desk<T>>(threads);
    for (int k = 0; k < threads; k++) {
      const Desk<T> desk = furnish();
      if (arena.block) desks[k] = desk;
    }
  }

  int64_t bytes() const { return arena.used; }

  void run() {
    share_rows();
    copy_vectors();
    in_parallel(threads, [this](int part, int parts) { prepare(part, parts); });
    if (program.before.begin < program.before.end)
      in_parallel(threads, [this](int part, int parts) { span(program.before, part, parts); });
    if (owners) in_parallel(owners * crew, [this](int part, int parts) { loop(part, parts); });
    if (program.after.begin < program.after.end || program.n_outers)
      in_parallel(threads, [this](int part, int parts) {
        span(program.after, part, parts);
        outer_products(job, part, parts, desks[part].outer);
      });
    sum_up();
  }

 private:
  const Job &job;
  const Program &program;
  Arena arena;
  long batch, dense_size = 0;
  int owners, threads;  // shares of the batch, each with rows of its own; all threads
  int crew;  // threads that go through the same rows, each with units of its own
  bool far;
  Packed<T> *phases;
  T **vectors;
  long *bounds;  // sequences of each owner
  Meeting *meetings;  // of each owner's crew
  Desk<T> *desks;

  static bool within(const Range &range, int k) { return k >= range.begin && k < range.end; }
  static long padded(int width) { return long(vectors_of(width, lanes<T>)) * lanes<T>; }

  template <class U>
  void place(U *array, int k, U value) {
    if (arena.block) array[k] = value;
  }

  Desk<T> furnish() {
    Desk<T> desk;
    desk.views = arena.take<View<T>>(program.n_operands);
    desk.registers = arena.take<T>(long(program.n_registers) * TILE<T> * lanes<T>);
    desk.dense = arena.take<T>(dense_size);
    desk.slots = arena.take<Slot<T>>(program.n_registers);
    desk.sums = arena.take<T *>(program.n_sums);
    desk.totals = arena.take<double *>(program.n_sums);
    for (int k = 0; k < program.n_sums; k++) {
      place(desk.sums, k, arena.take<T>(padded(job.widths[program.sums[k]])));
      place(desk.totals, k, arena.take<double>(job.widths[program.sums[k]]));
    }
    desk.outer = outer_space<T>(arena, job);
    return desk;
  }

  int64_t bytes_of_all_steps() const {
    int64_t numbers = 0;
    for (int k = 0; k < program.n_operands; k++) {
      const Buffer &buffer = program.buffers[program.operands[k].buffer];
      numbers += buffer.span == ALL ? job.widths[buffer.width] : 0;
    }
    return numbers * job.starts[job.steps] * int64_t(sizeof(T));
  }

  // Sequences, longest first, cut so that every owner has as many rows.
  void share_rows() {
    for (int k = 0; k <= threads; k++) bounds[k] = batch;
    bounds[0] = 0;
    const long rows = job.starts[job.steps];
    long step = job.steps - 1, before = 0;
    int owner = 1;
    for (long b = 0; b < batch && owner < owners; b++) {
      while (job.starts[step + 1] - job.starts[step] <= b) step--;
      before += step + 1;
      const bool last_chance = batch - (b + 1) <= owners - owner;
      if (last_chance || before * owners >= rows * owner) bounds[owner++] = b + 1;
    }
  }

  void copy_vectors() {
    for (int k = 0; k < program.n_vectors; k++) {
      const T *from = static_cast<const T *>(job.vectors[k]);
      for (long u = 0; u < padded(job.vector_widths[k]); u++) vectors[k][u] = u < job.vector_widths[k] ? from[u] : 0;
    }
  }

  void prepare(int part, int parts) {
    for (int k = 0; k < program.n_phases; k++) pack_phase<T>(job, program.phases[k], phases[k], vectors, part, parts);
    for (int d = part; d < threads; d += parts)
      for (int k = 0; k < program.n_sums; k++) {
        for (long u = 0; u < padded(job.widths[program.sums[k]]); u++) desks[d].sums[k][u] = 0;
        for (int u = 0; u < job.widths[program.sums[k]]; u++) desks[d].totals[k][u] = 0;
      }
    for (int k = part; k < owners; k += parts) meetings[k] = {};
  }

  Tile<T> tile_of(const Desk<T> &desk) const {
    Tile<T> tile{};
    tile.views = desk.views;
    tile.vector_values = vectors;
    tile.constants = job.constants;
    tile.sums = desk.sums;
    tile.registers = desk.registers;
    tile.dense = desk.dense;
    tile.slots = desk.slots;
    tile.block = job.widths[BLOCK_SIZE];
    tile.far = far;
    return tile;
  }

  // Where each operand stands at step t; -1 is behind the first one.
  void look(View<T> *views, long t) const {
    for (int k = 0; k < program.n_operands; k++) {
      const Operand &operand = program.operands[k];
      const Buffer &buffer = program.buffers[operand.buffer];
      T *base = static_cast<T *>(job.buffers[operand.buffer]);
      const long stride = job.strides[operand.buffer], step = t + operand.shift;
      views[k] = {base, stride, buffer.padded != 0};
      if (buffer.span == STEP || !base) continue;
      if (step < 0 && operand.shift < 0) {
        const bool given = operand.start >= 0;
        T *start = given ? static_cast<T *>(job.buffers[operand.start]) : nullptr;
        views[k] = {start, given ? job.strides[operand.start] : 0, given && program.buffers[operand.start].padded};
      } else if (step < 0 || step >= job.steps) {
        views[k].base = nullptr;
      } else {
        views[k].base = base + (buffer.span == RING ? (step & 1) * batch : job.starts[step]) * stride;
      }
    }
  }

  void run_range(const Range &range, Tile<T> &tile, long begin, long end, long next, const Crew &members = {}) {
    for (int k = range.begin; k < range.end; k++) {
      run_phase<T>(job, program.phases[k], phases[k], tile, int(begin), int(end), int(next), members);
      if (members.size > 1) members.meeting->wait(members.size);
    }
  }

  // Rows of all steps together, some at a time, each through all phases.
  void span(const Range &range, int part, int parts) {
    if (range.begin == range.end) return;
    Desk<T> &desk = desks[part];
    Tile<T> tile = tile_of(desk);
    const long rows = job.starts[job.steps], from = rows * part / parts, to = rows * (part + 1) / parts;
    for (long row = from; row < to; row += SPAN_ROWS) {
      for (int k = 0; k < program.n_operands; k++) {
        const int buffer = program.operands[k].buffer;
        T *base = static_cast<T *>(job.buffers[buffer]);
        const bool moves = program.buffers[buffer].span == ALL && base;
        desk.views[k] = {moves ? base + row * job.strides[buffer] : base, job.strides[buffer],
                         program.buffers[buffer].padded != 0};
      }
      const long count = to - row < SPAN_ROWS ? to - row : SPAN_ROWS;
      run_range(range, tile, 0, count, count);
    }
  }

  // The loop, for one of the threads that came.
  void loop(int part, int parts) {
    if (parts < owners) {
      for (int owner = part; owner < owners; owner += parts) steps(owner, desks[part], {});
    } else {
      const int owner = part % owners;
      steps(owner, desks[part], {part / owners, (parts - owner + owners - 1) / owners, &meetings[owner]});
    }
  }

  void steps(int owner, Desk<T> &desk, const Crew &members) {
    Tile<T> tile = tile_of(desk);
    const long from = bounds[owner], to = bounds[owner + 1];
    long summed = 0;
    for (long k = 0; k < job.steps; k++) {
      const long t = program.backwards ? job.steps - 1 - k : k;
      const long live = job.starts[t + 1] - job.starts[t];
      const long next = t + 1 < job.steps ? job.starts[t + 2] - job.starts[t + 1] : 0;
      const long end = live < to ? live : to;
      if (from < end) {
        look(desk.views, t);
        run_range(program.loop, tile, from, end, next, members);
        if (members.index == 0) leave(desk.views, next > from ? next : from, end);
      }
      summed += end > from ? end - from : 0;
      if (program.n_sums && summed >= FEW_ROWS) carry(desk), summed = 0;
    }
    carry(desk);
    if (program.closing.begin < program.closing.end && from < to) {
      look(desk.views, -1);
      run_range(program.closing, tile, from, to, to, members);
    }
  }

  // Sequences that end at this step leave their states.
  void leave(const View<T> *views, long from, long to) const {
    for (int k = 0; k < program.n_finals; k++) {
      const View<T> &view = views[program.finals[k].operand];
      const int width = job.widths[program.buffers[program.operands[program.finals[k].operand].buffer].width];
      T *finals = static_cast<T *>(job.finals[program.finals[k].place]);
      for (long b = from; b < to && finals; b++)
        __builtin_memcpy(finals + b * width, view.base + b * view.stride, width * sizeof(T));
    }
  }

  void carry(Desk<T> &desk) {
    for (int k = 0; k < program.n_sums; k++)
      for (int u = 0; u < job.widths[program.sums[k]]; u++) {
        desk.totals[k][u] += desk.sums[k][u];
        desk.sums[k][u] = 0;
      }
  }

  void sum_up() {
    for (int k = 0; k < program.n_sums; k++) {
      T *to = static_cast<T *>(job.sum_gradients[k]);
      for (int u = 0; u < job.widths[program.sums[k]] && to; u++) {
        double whole = 0;
        for (int part = 0; part < threads; part++) whole += desks[part].totals[k][u];
        to[u] = T(whole);
      }
    }
  }
};

}  // namespace gatelab::GATELAB_VARIANT
