// How many threads a job is worth: one that waits for another costs more than a little work does.
#pragma once
#include "job.h"

namespace gatelab::GATELAB_VARIANT {

// Multiplications of a phase's products, for one row.
inline double work_of(const Job &job, const Phase &phase) {
  const Program &program = *job.program;
  double work = 0;
  for (int g = phase.groups; g < phase.groups_end; g++) {
    const Group &group = program.groups[g];
    for (int s = group.sources; s < group.sources_end; s++)
      work += double(group.targets_end - group.targets) * job.widths[program.sources[s].depth];
  }
  return (work + (phase.code_end - phase.code)) * job.widths[phase.width];
}

inline int outer_width(const Job &job, int operand) {
  return job.widths[job.program->buffers[job.program->operands[operand].buffer].width];
}

inline int at_most(double work, double least, int most) {
  return work >= least * most ? most : (work < 2 * least ? 1 : int(work / least));
}

// Threads for the whole job, so that each has something to do.
inline int useful_threads(const Job &job) {
  double work = 0;
  for (int k = 0; k < job.program->n_phases; k++) work += work_of(job, job.program->phases[k]);
  for (int k = 0; k < job.program->n_outers; k++) {
    const Outer &outer = job.program->outers[k];
    if (outer.right >= 0) work += double(outer_width(job, outer.left)) * outer_width(job, outer.right);
  }
  return at_most(work * double(job.starts[job.steps]), double(job.thread_work), int(job.threads));
}

// Threads for the rows of one owner, where there are fewer rows than threads.
inline int useful_crew(const Job &job, int owners, int threads) {
  const Range &loop = job.program->loop;
  const int phases = loop.end - loop.begin;
  if (!phases || owners < 1 || threads < 2 * owners) return 1;
  double work = 0;
  for (int k = loop.begin; k < loop.end; k++) work += work_of(job, job.program->phases[k]);
  const double rows = double(job.starts[1]) / owners;
  return at_most(work * rows / phases, double(job.crew_work), threads / owners);
}

}  // namespace gatelab::GATELAB_VARIANT
