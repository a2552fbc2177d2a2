// Dropout masks and normal noise from counters: element e depends only on the key and on e, not on the layout or on the
// division of the rows into blocks.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "rng.h"
#include "split.h"
#include "vector_math.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

// The smallest 24-bit number k that is kept: k * 2^-24 >= rate.
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

// Fills the output with the numbers that `produce(to, words)` makes of each kPhiloxWords words of the key's sequence.
template <class T, class Produce>
void fill_from_words(const Call& call, Produce&& produce) {
  std::uint32_t words_of_key[4];  // seed low, seed high, step, first row
  std::memcpy(words_of_key, call.inputs[0].data, sizeof words_of_key);
  const PhiloxKey key{words_of_key[0], words_of_key[1], words_of_key[2], static_cast<std::uint32_t>(call.attrs[0])};
  std::uint64_t width = 1;
  for (int d = 1; d < call.output.rank; ++d) width *= static_cast<std::uint64_t>(call.output.dims[d]);
  const std::uint64_t first = (words_of_key[3] + static_cast<std::uint64_t>(call.first_row)) * width;
  T* out = data_of<T>(call.output);
  std::int64_t left = call.output.size();
  auto skip = static_cast<int>(first % 4);  // the words of the first block that belong to earlier elements
  std::uint32_t words[kPhiloxWords];
  for (std::uint64_t block = first / 4; left > 0; block += kPhiloxBlocks) {
    philox(key, block, words);
    const std::int64_t n = left < kPhiloxWords - skip ? left : kPhiloxWords - skip;
    if (n == kPhiloxWords) {
      produce(out, words);
    } else {
      T numbers[kPhiloxWords];
      produce(numbers, words);
      std::memcpy(out, numbers + skip, static_cast<std::size_t>(n) * sizeof(T));
    }
    out += n;
    left -= n;
    skip = 0;
  }
}

template <class T>
void dropout_mask_kernel(const Call& call) {
  const T rate = *data_of<const T>(call.inputs[1]), kept = T(1) / (T(1) - rate);
  const std::uint32_t threshold = threshold_of<T>(rate);
  fill_from_words<T>(call, [=](T* to, const std::uint32_t* words) { mask_of_words<T>(to, words, threshold, kept); });
}

// Box and Muller (1958): two normal numbers from two uniform ones. The first is never 0, the second never 1.
template <class T>
inline void noise_of_words(T* noise, const std::uint32_t* words) {
  constexpr int n_pairs = kPhiloxWords / 2;
  static_assert(n_pairs % kLanes<T> == 0);
  T first[n_pairs], second[n_pairs];
  for (int i = 0; i < n_pairs; ++i) {
    first[i] = static_cast<T>(static_cast<std::int32_t>(words[2 * i] >> 8) + 1) * T(0x1p-24);
    second[i] = static_cast<T>(static_cast<std::int32_t>(words[2 * i + 1] >> 8)) * T(0x1p-24);
  }
  for (int i = 0; i < n_pairs; i += kLanes<T>) {
    const Vec<T> radius = sqrt<T>(log<T>(load<T>(first + i)) * T(-2));
    const Direction<T> angle = direction<T>(load<T>(second + i));
    store<T>(first + i, radius * angle.cosine);
    store<T>(second + i, radius * angle.sine);
  }
  for (int i = 0; i < n_pairs; ++i) {
    noise[2 * i] = first[i];
    noise[2 * i + 1] = second[i];
  }
}

template <class T>
void normal_noise_kernel(const Call& call) {
  fill_from_words<T>(call, [](T* to, const std::uint32_t* words) { noise_of_words<T>(to, words); });
}

constexpr const char* kWrongKey = "the key must be int32[4]";

const char* check_dropout_mask(const Call& call) {
  if (!one_float_type(call, 1, 2)) return kWrongType;
  if (!is_indices(call.inputs[0], 4)) return kWrongKey;
  return call.inputs[1].rank == 0 ? nullptr : "the rate must be a scalar";
}

const char* check_normal_noise(const Call& call) {
  if (!is_dense_float(call.output)) return kWrongType;
  return is_indices(call.inputs[0], 4) ? nullptr : kWrongKey;
}

constexpr Kernel rows[] = {
    {"dropout_mask", 2, 1, check_dropout_mask, dropout_mask_kernel<float>, dropout_mask_kernel<double>,
     split_output_rows},
    {"normal_noise", 1, 1, check_normal_noise, normal_noise_kernel<float>, normal_noise_kernel<double>,
     split_output_rows},
};

}  // namespace

const KernelTable random_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
