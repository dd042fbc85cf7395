// Threads for the tile machine.
//
// torch's matrix products keep a team of OpenMP threads that spin for a while after each piece of work. A
// second team would fight with it for the same cores, so we ask for the same one: GOMP_parallel is the
// public entry of libgomp (and of LLVM's libomp), found in the process at run time, not linked.
#include "threads.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace gatelab {
namespace {

struct Shared {
  void (*work)(void *, int);
  void *argument;
  int parts;
  std::atomic<int> next{0};

  void take() {
    for (int part = next++; part < parts; part = next++) work(argument, part);
  }
};

// Fewer threads than parts may come: each takes parts until none is left.
void openmp_body(void *shared) { static_cast<Shared *>(shared)->take(); }

using GompParallel = void (*)(void (*)(void *), void *, unsigned, unsigned);

GompParallel openmp() {
  static const GompParallel found = reinterpret_cast<GompParallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return found;
}

void own_threads(Shared &shared) {
  std::vector<std::thread> team;
  for (int k = 1; k < shared.parts; k++) team.emplace_back([&] { shared.take(); });
  shared.take();
  for (auto &member : team) member.join();
}

}  // namespace

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void share_out(int parts, void (*work)(void *, int), void *argument) {
  if (parts <= 1) {
    if (parts == 1) work(argument, 0);
    return;
  }
  Shared shared{work, argument, parts};
  if (openmp())
    openmp()(openmp_body, &shared, unsigned(parts), 0);
  else
    own_threads(shared);
}

}  // namespace gatelab
