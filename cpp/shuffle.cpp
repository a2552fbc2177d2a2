#include "shuffle.h"

#define ROSENBLATT_ISA portable  // this file is compiled once, for the oldest processor
#include "rng.h"
#undef ROSENBLATT_ISA

namespace rosenblatt {

namespace {

constexpr std::uint32_t kOrderStream = 0xffffffffu;  // a stream that no instruction draws from

}  // namespace

void shuffle_rows(std::int64_t* order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch) {
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  const portable::PhiloxKey key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), epoch,
                                kOrderStream};
  std::uint32_t words[portable::kPhiloxWords];
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t place = i % portable::kPhiloxWords;
    if (place == 0) portable::philox(key, static_cast<std::uint64_t>(i / 4), words);
    // Swap element n - 1 - i with a random one of the elements up to and including it.
    const std::int64_t last = n - 1 - i;
    const auto other = static_cast<std::int64_t>((words[place] * static_cast<std::uint64_t>(last + 1)) >> 32);
    const std::int64_t kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
}

// Draws that are too large are rejected. Every draw swaps two elements here, and a rejected one swaps an element with
// itself: the processor could not predict a branch on rejection.
void shuffle_as_numpy(std::int64_t* order, std::int64_t n, const NumpyBits& bits) {
  for (std::int64_t i = n - 1; i > 0;) {
    const auto largest = static_cast<std::uint64_t>(i);
    const std::uint64_t mask = ~std::uint64_t{0} >> __builtin_clzll(largest);
    const std::uint64_t drawn =
        (largest <= 0xffffffffu ? bits.next_uint32(bits.state) : bits.next_uint64(bits.state)) & mask;
    const bool accepted = drawn <= largest;
    const std::uint64_t other = accepted ? drawn : largest;
    const std::int64_t kept = order[i];
    order[i] = order[other];
    order[other] = kept;
    i -= accepted ? 1 : 0;
  }
}

}  // namespace rosenblatt
