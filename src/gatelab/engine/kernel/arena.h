// Memory cut from one block: first counted, with no block, then cut in the same order.
#pragma once
#include <cstdint>

namespace gatelab::GATELAB_VARIANT {

struct Arena {
  char *block;  // null: only count
  int64_t used = 0;

  template <class U>
  U *take(int64_t count) {
    const int64_t at = used;
    used += (count * int64_t(sizeof(U)) + 63) / 64 * 64;
    return reinterpret_cast<U *>(block ? block + at : nullptr);
  }
};

}  // namespace gatelab::GATELAB_VARIANT
