// Memory cut from one block: first counted, with no block, then cut in the same order.
#pragma once
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace gatelab::GATELAB_VARIANT {

struct Arena {
  char *block;  // null: only count
  int64_t used = 0;

  template <class U>
  U *take(int64_t count) {
    const int64_t at = used, size = count * int64_t(sizeof(U));
    used += (size + 63) / 64 * 64;
#if defined(__SANITIZE_ADDRESS__)
    used += 64;  // the sanitizer watches over what is between two arrays
    if (block) {
      ASAN_UNPOISON_MEMORY_REGION(block + at, size);
      ASAN_POISON_MEMORY_REGION(block + at + size, used - at - size);
    }
#endif
    return reinterpret_cast<U *>(block ? block + at : nullptr);
  }
};

}  // namespace gatelab::GATELAB_VARIANT
