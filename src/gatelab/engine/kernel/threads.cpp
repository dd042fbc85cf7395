// Threads for the tile machine.
//
// torch's matrix products keep a team of OpenMP threads that spin for a while after each piece of work. A
// second team would fight with it for the same cores, so we ask for the same one: GOMP_parallel is the
// public entry of libgomp (and of LLVM's libomp), found in the process at run time, not linked.
#include "threads.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

namespace gatelab {
namespace {

struct Shared {
  void (*work)(void *, int, int);
  void *argument;
};

using GompParallel = void (*)(void (*)(void *), void *, unsigned, unsigned);
using Number = int (*)();

// What we use of OpenMP; empty where the process has none.
struct OpenMP {
  GompParallel parallel = reinterpret_cast<GompParallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  Number part = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
  Number parts = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_num_threads"));

  bool there() const { return parallel && part && parts; }
};

const OpenMP &openmp() {
  static const OpenMP found;
  return found;
}

void openmp_body(void *argument) {
  const Shared &shared = *static_cast<Shared *>(argument);
  shared.work(shared.argument, openmp().part(), openmp().parts());
}

// As many threads as the system gives; they begin when it is known how many there are.
void own_threads(const Shared &shared, int most) {
  std::atomic<int> parts{0};
  std::vector<std::thread> team;
  try {
    for (int part = 1; part < most; part++)
      team.emplace_back([&shared, &parts, part] {
        while (!parts) std::this_thread::yield();
        shared.work(shared.argument, part, parts);
      });
  } catch (const std::system_error &) {  // no more threads to be had
  }
  parts = int(team.size()) + 1;
  shared.work(shared.argument, 0, parts);
  for (auto &member : team) member.join();
}

}  // namespace

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void rest(int turns) {
  if (turns > 2000) {  // the others may wait for this very core
    std::this_thread::yield();
    return;
  }
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void Meeting::wait(int members) {
  const int now = __atomic_load_n(&round, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&here, 1, __ATOMIC_ACQ_REL) == members) {
    __atomic_store_n(&here, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&round, now + 1, __ATOMIC_RELEASE);
    return;
  }
  for (int turns = 0; __atomic_load_n(&round, __ATOMIC_ACQUIRE) == now; turns++) rest(turns);
}

void share_out(int most, void (*work)(void *, int, int), void *argument) {
  if (most <= 1) {
    work(argument, 0, 1);
    return;
  }
  Shared shared{work, argument};
  if (openmp().there())
    openmp().parallel(openmp_body, &shared, unsigned(most), 0);
  else
    own_threads(shared, most);
}

}  // namespace gatelab
