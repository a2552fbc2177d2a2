// Row orders that depend only on a seed and the number of the epoch.
#pragma once

#include <cstdint>

namespace rosenblatt {

// Fills order[0 .. n) with a permutation of 0 .. n - 1 (n < 2^32): Fisher and Yates' shuffle with Philox words.
void shuffle_rows(std::int64_t* order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch);

// NumPy's interface to its bit generators (numpy/random/bitgen.h); their capsules point to it.
struct NumpyBits {
  void* state;
  std::uint64_t (*next_uint64)(void*);
  std::uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  std::uint64_t (*next_raw)(void*);
};

// Shuffles n int64 numbers exactly as numpy.random.RandomState.shuffle does, drawing the same bits. scikit-learn's
// networks order their rows this way.
void shuffle_as_numpy(std::int64_t* order, std::int64_t n, const NumpyBits& bits);

}  // namespace rosenblatt
