// Row orders that depend on nothing but a seed and the number of the epoch.
#pragma once

#include <cstdint>

namespace rosenblatt {

// Fills order[0 .. n) with a permutation of 0 .. n - 1 (n < 2^32): Fisher and Yates' shuffle with Philox words.
void shuffle_rows(std::int64_t* order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch);

}  // namespace rosenblatt
