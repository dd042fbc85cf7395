// The interface between the planner (Python) and the tile machine: what is to be run, on which memory.
//
// A program is planned once for a cell and is made of int32 records only; it knows widths, not sizes.
// A job binds it to one batch: sizes, weights and memory. Both sides keep these records alike:
// engine/program.py writes them, nothing else reads them.
#pragma once
#include <cstdint>

namespace gatelab {

enum Span : int32_t { ALL, STEP, RING };  // a value kept for every row; for one step; for two steps

// A place in memory that holds one value for each row.
struct Buffer {
  int32_t span;
  int32_t width;  // index into Job::widths
  int32_t padded;  // rows are filled up to whole vectors, so that no tail needs care
};

// How a program reads or writes a buffer: at this step (0), the step before (-1), the step after (1).
struct Operand {
  int32_t buffer;
  int32_t shift;
  int32_t start;  // buffer that stands for the step before the first one; -1: zeros
};

// One vector of a sum of products: rows of `operand`, times one matrix for each target of its group.
struct Source {
  int32_t operand;
  int32_t depth;  // index into Job::widths
  int32_t weights;  // the first of one index a target into Program::matrices
};

struct Matrix {
  int32_t weight;  // index into Job::weights
  int32_t transposed;
};

struct Target {
  int32_t reg;  // the register that receives it
  int32_t bias;  // index into Job::vectors, or -1
};

// Targets that are sums of products with the same vectors: computed together.
struct Group {
  int32_t sources, sources_end;
  int32_t targets, targets_end;
};

// A phase: sums of products, then an element-wise program, tile by tile.
struct Phase {
  int32_t width;
  int32_t groups, groups_end;
  int32_t code, code_end;
};

// `to`: an operand in whose memory the result may be written at once, or -1.
struct Instruction {
  int32_t op, d, a, b, c, to;
};

enum Code : int32_t {
  LOAD, STORE, LOAD_ROW, LOAD_BLOCK, VECTOR, CONSTANT,
  NEG, SIGMOID, TANH, RELU, EXP, LOG, SQRT, STEP_UP,
  ADD, SUB, MUL, DIV, MAXIMUM,
  ADD_VECTOR, MUL_VECTOR, FMA_VECTOR, ADD_CONSTANT, MUL_CONSTANT, CONSTANT_SUB,
  FMA, FNMA, MIX, D_SIGMOID, D_TANH,
  SUM_COLUMN, SUM_PRODUCT, SUM_ROW, SUM_BLOCK,
};

// A weight's gradient: the sum over all rows of left × right, or of left alone.
struct Outer {
  int32_t left, right;  // operands; right is -1 where there is none
  int32_t gradient;  // index into Job::gradients, or without a right-hand side into Job::sum_gradients
  int32_t more;  // whether it is added to what stands there
};

// A state that leaves its last row in Job::finals.
struct Final {
  int32_t operand, place;
};

struct Range {
  int32_t begin, end;
};

struct Program {
  const Buffer *buffers;
  const Operand *operands;
  const Source *sources;
  const Matrix *matrices;
  const Target *targets;
  const Group *groups;
  const Phase *phases;
  const Instruction *code;
  const Outer *outers;
  const Final *finals;
  const int32_t *sums;  // for each vector's gradient that the loop adds up: index into Job::widths
  int32_t n_operands, n_phases, n_outers, n_finals, n_sums, n_vectors, n_registers;
  Range before, loop, closing, after;  // phases: for all rows, each step, after the last step, for all rows
  int32_t backwards;
};

struct Job {
  const Program *program;
  const int32_t *widths;  // numbers a row, by the index of a width; the last is the block's size
  const int64_t *starts;  // the first row of each step, and the end: T + 1
  int64_t steps;
  void *const *buffers;
  const int64_t *strides;  // numbers from row to row, a buffer each
  const void *const *weights;
  const int64_t *weight_strides;
  const void *const *vectors;
  const int32_t *vector_widths;
  const double *constants;
  void *const *gradients;
  void *const *sum_gradients;
  void *const *finals;
  void *scratch;
  int64_t threads;  // at most
  int64_t thread_work;  // multiplications that make a thread worth waking
  int64_t crew_work;  // in a phase of a step: that make it worth sharing out one row
};

enum Width : int32_t { BLOCK_SIZE = 4 };  // place in Job::widths behind I, H, K, 1

}  // namespace gatelab
