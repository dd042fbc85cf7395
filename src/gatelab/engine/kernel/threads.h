// Work shared out among threads: torch's own OpenMP threads where they are there, else threads of ours.
#pragma once

namespace gatelab {

// Call `work(argument, part)` for each part, at the same time where possible; return when all are done.
void share_out(int parts, void (*work)(void *, int), void *argument);

// Seconds on a clock that never goes back.
double seconds();

template <class F>
void in_parallel(int parts, F &&work) {
  using Work = F;
  share_out(parts, [](void *self, int part) { (*static_cast<Work *>(self))(part); }, &work);
}

}  // namespace gatelab
