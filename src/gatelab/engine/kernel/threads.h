// Work shared out among threads: torch's own OpenMP threads where they are there, else threads of ours.
#pragma once

namespace gatelab {

// Call `work(argument, part, parts)` on at most `most` threads and return when all are done. All parts run at the
// same time, so they may wait for each other; there may be fewer than asked for.
void share_out(int most, void (*work)(void *, int, int), void *argument);

// Pass some time while others work; `turns` counts how often it was called in a row.
void rest(int turns);

// Seconds on a clock that never goes back.
double seconds();

template <class F>
void in_parallel(int most, F &&work) {
  using Work = F;
  share_out(most, [](void *self, int part, int parts) { (*static_cast<Work *>(self))(part, parts); }, &work);
}

// Where the members of a crew wait until all have come.
struct alignas(64) Meeting {
  int here, round;

  void wait(int members);
};

}  // namespace gatelab
