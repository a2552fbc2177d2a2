// Dropout masks, from counters: element e of a mask depends on the key and on e, not on the layout or on blocks of rows.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "rng.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

// Elements e .. e + n - 1, n <= kPhiloxWords, of which the first is word `skip` of `words`.
template <class T>
inline void write_mask(T* out, const std::uint32_t* words, int skip, std::int64_t n, T rate, T kept) {
  T uniform[kPhiloxWords];
  for (int i = 0; i < kPhiloxWords; ++i) {  // 24 random bits, exact in either type
    uniform[i] = static_cast<T>(static_cast<std::int32_t>(words[i] >> 8)) * T(0x1p-24);
  }
  const Vec<T> value = broadcast(kept);
  for_vectors<T>(n, [&](std::int64_t i, auto size) {
    size.put(out + i, size.get(uniform + skip + i) < rate ? Vec<T>{} : value);
  });
}

template <class T>
void dropout_mask_kernel(const Call& call) {
  std::uint32_t words_of_key[4];  // seed low, seed high, step, first row
  std::memcpy(words_of_key, call.inputs[0].data, sizeof words_of_key);
  const PhiloxKey key{words_of_key[0], words_of_key[1], words_of_key[2], static_cast<std::uint32_t>(call.attrs[0])};
  const T rate = *data_of<const T>(call.inputs[1]), kept = T(1) / (T(1) - rate);
  std::uint64_t width = 1;
  for (int d = 1; d < call.output.rank; ++d) width *= static_cast<std::uint64_t>(call.output.dims[d]);
  const std::uint64_t first = words_of_key[3] * width;
  T* out = data_of<T>(call.output);
  std::int64_t left = call.output.size();
  auto skip = static_cast<int>(first % 4);
  std::uint32_t words[kPhiloxWords];
  for (std::uint64_t block = first / 4; left > 0; block += kPhiloxLanes) {
    philox(key, block, words);
    const std::int64_t n = left < kPhiloxWords - skip ? left : kPhiloxWords - skip;
    write_mask<T>(out, words, skip, n, rate, kept);
    out += n;
    left -= n;
    skip = 0;
  }
}

const char* check_dropout_mask(const Call& call) {
  if (!one_float_type(call, 1, 2)) return kWrongType;
  if (!is_indices(call.inputs[0], 4)) return "the key must be int32[4]";
  return call.inputs[1].rank == 0 ? nullptr : "the rate must be a scalar";
}

constexpr Kernel rows[] = {
    {"dropout_mask", 2, 1, check_dropout_mask, dropout_mask_kernel<float>, dropout_mask_kernel<double>},
};

}  // namespace

const KernelTable random_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
