// Row orders that depend on nothing but a seed and the number of the epoch.
#pragma once

#include <cstdint>

namespace rosenblatt {

// Fills order[0 .. n) with a permutation of 0 .. n - 1 (n < 2^32): Fisher and Yates' shuffle with Philox words.
void shuffle_rows(std::int64_t* order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch);

// NumPy's interface to its bit generators (numpy/random/bitgen.h), which its capsules point to.
struct NumpyBits {
  void* state;
  std::uint64_t (*next_uint64)(void*);
  std::uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  std::uint64_t (*next_raw)(void*);
};

// What numpy.random.RandomState.shuffle does to n int64 numbers, drawing the same bits: the order of rows in
// scikit-learn's networks.
void shuffle_as_numpy(std::int64_t* order, std::int64_t n, const NumpyBits& bits);

}  // namespace rosenblatt
