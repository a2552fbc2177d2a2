// Dropout masks, from counters: element e of a mask depends on the key and on e, not on the layout or on how rows are
// split into blocks.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"
#include "rng.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

// The least 24-bit number k that is kept, which is to say not k * 2^-24 < rate.
template <class T>
inline std::uint32_t threshold_of(T rate) {
  const T scaled = rate * T(0x1p24);  // exact
  if (!(scaled > 0)) return 0;
  if (scaled >= T(0x1p24)) return 1u << 24;
  const auto whole = static_cast<std::uint32_t>(scaled);
  return whole + (static_cast<T>(whole) < scaled ? 1u : 0u);
}

template <class T>
inline void mask_of_words(T* mask, const std::uint32_t* words, std::uint32_t threshold, T kept) {
  for (int i = 0; i < kPhiloxWords; ++i) mask[i] = words[i] >> 8 < threshold ? T(0) : kept;
}

template <class T>
void dropout_mask_kernel(const Call& call) {
  std::uint32_t words_of_key[4];  // seed low, seed high, step, first row
  std::memcpy(words_of_key, call.inputs[0].data, sizeof words_of_key);
  const PhiloxKey key{words_of_key[0], words_of_key[1], words_of_key[2], static_cast<std::uint32_t>(call.attrs[0])};
  const T rate = *data_of<const T>(call.inputs[1]), kept = T(1) / (T(1) - rate);
  std::uint64_t width = 1;
  for (int d = 1; d < call.output.rank; ++d) width *= static_cast<std::uint64_t>(call.output.dims[d]);
  const std::uint64_t first = (words_of_key[3] + static_cast<std::uint64_t>(call.first_row)) * width;
  T* out = data_of<T>(call.output);
  std::int64_t left = call.output.size();
  auto skip = static_cast<int>(first % 4);  // the first block's words that belong to an earlier element
  const std::uint32_t threshold = threshold_of<T>(rate);
  std::uint32_t words[kPhiloxWords];
  for (std::uint64_t block = first / 4; left > 0; block += kPhiloxBlocks) {
    philox(key, block, words);
    const std::int64_t n = left < kPhiloxWords - skip ? left : kPhiloxWords - skip;
    if (n == kPhiloxWords) {
      mask_of_words<T>(out, words, threshold, kept);
    } else {
      T mask[kPhiloxWords];
      mask_of_words<T>(mask, words, threshold, kept);
      std::memcpy(out, mask + skip, static_cast<std::size_t>(n) * sizeof(T));
    }
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
    {"dropout_mask", 2, 1, check_dropout_mask, dropout_mask_kernel<float>, dropout_mask_kernel<double>,
     split_output_rows},
};

}  // namespace

const KernelTable random_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
