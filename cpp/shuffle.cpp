#include "shuffle.h"

#define ROSENBLATT_ISA portable  // this file is compiled once, for the oldest processor
#include "rng.h"

namespace rosenblatt {

namespace {

constexpr std::uint32_t kOrderStream = 0xffffffffu;  // no instruction's random numbers come from it

}  // namespace

void shuffle_rows(std::int64_t* order, std::int64_t n, std::uint64_t seed, std::uint32_t epoch) {
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  const portable::PhiloxKey key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), epoch,
                                kOrderStream};
  std::uint32_t words[portable::kPhiloxWords];
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t place = i % portable::kPhiloxWords;
    if (place == 0) portable::philox(key, static_cast<std::uint64_t>(i / 4), words);
    // Element n - 1 - i changes places with one of those up to itself, the word deciding which.
    const std::int64_t last = n - 1 - i;
    const auto other = static_cast<std::int64_t>((words[place] * static_cast<std::uint64_t>(last + 1)) >> 32);
    const std::int64_t kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
}

}  // namespace rosenblatt
