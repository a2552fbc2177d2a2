// Copies operands of a matrix product into the layout that the register tile reads fastest, and transposes them.
//
// Takes a block of a row-major matrix. Returns the block in `to`, in rows of whole vectors. The lanes beyond the width
// of the block are unspecified (they are never stored). Never reads outside the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

constexpr Index smaller(Index a, Index b) { return a < b ? a : b; }
constexpr Index divide_up(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return divide_up(a, b) * b; }

// Transposes work on squares of 16 bytes a side, the widest shuffles that are equally fast everywhere.
template <class T>
inline constexpr int kSide = 16 / static_cast<int>(sizeof(T));

template <class T>
struct PartOf {
  typedef T type __attribute__((vector_size(16), aligned(alignof(T)), may_alias));
};
template <class T>
using Part = typename PartOf<T>::type;

template <class T, int kSize>
using Lanes = std::make_integer_sequence<int, kSize>;

template <int... i>
static inline auto concatenate(auto a, auto b, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, i...);
}

// One vector from the kLanes / kSide parts at p(0), p(1), ...
template <class T>
static inline Vec<T> join(auto part) {
  constexpr int side = kSide<T>, parts = kLanes<T> / side;
  if constexpr (parts == 1) {
    return reinterpret_cast<Vec<T>>(part(0));
  } else {
    constexpr auto two = Lanes<T, 2 * side>{};
    if constexpr (parts == 2) {
      return reinterpret_cast<Vec<T>>(concatenate(part(0), part(1), two));
    } else {
      return reinterpret_cast<Vec<T>>(
          concatenate(concatenate(part(0), part(1), two), concatenate(part(2), part(3), two), Lanes<T, 4 * side>{}));
    }
  }
}

// In each 16 bytes: the low or high halves of a and b, interleaved in items of `size` elements.
template <class T, int size, bool high, int... i>
static inline Vec<T> interleave(Vec<T> a, Vec<T> b, std::integer_sequence<int, i...>) {
  constexpr auto source = [](int lane) {
    constexpr int side = kSide<T>;
    const int place = lane % side, item = place / size;
    const int from = lane - place + (high ? side / 2 : 0) + item / 2 * size + place % size;
    return item % 2 ? kLanes<T> + from : from;
  };
  return __builtin_shufflevector(a, b, source(i)...);
}

// x[r] holds elements (r, 0..kSide) of the square in each 16 bytes; afterwards x[c] holds elements (0..kSide, c).
template <class T>
static inline void transpose_squares(Vec<T> (&x)[kSide<T>]) {
  constexpr auto lanes = Lanes<T, kLanes<T>>{};
  if constexpr (sizeof(T) == 8) {
    const Vec<T> low = interleave<T, 1, false>(x[0], x[1], lanes);
    x[1] = interleave<T, 1, true>(x[0], x[1], lanes);
    x[0] = low;
  } else {
    const Vec<T> low_01 = interleave<T, 1, false>(x[0], x[1], lanes);
    const Vec<T> high_01 = interleave<T, 1, true>(x[0], x[1], lanes);
    const Vec<T> low_23 = interleave<T, 1, false>(x[2], x[3], lanes);
    const Vec<T> high_23 = interleave<T, 1, true>(x[2], x[3], lanes);
    x[0] = interleave<T, 2, false>(low_01, low_23, lanes);
    x[1] = interleave<T, 2, true>(low_01, low_23, lanes);
    x[2] = interleave<T, 2, false>(high_01, high_23, lanes);
    x[3] = interleave<T, 2, true>(high_01, high_23, lanes);
  }
}

// to[k][j] = from[j][k] for j < n_rows <= kLanes and k < n <= kSide. The template flags skip the checks of full sides.
template <class T, bool kAllRows, bool kWhole>
static inline void transpose_block(const T* from, Index from_row, Index n_rows, int n, T* to, Index to_row) {
  Vec<T> x[kSide<T>];
#pragma GCC unroll 4
  for (int r = 0; r < kSide<T>; ++r) {
    x[r] = join<T>([&](int part) {
      const Index row = part * kSide<T> + r;
      const T* at = from + (kAllRows ? row : smaller(row, n_rows - 1)) * from_row;  // repeat the last row
      if constexpr (kWhole) {
        return *reinterpret_cast<const Part<T>*>(at);
      } else {
        return load_part(at, n);
      }
    });
  }
  transpose_squares<T>(x);
#pragma GCC unroll 4
  for (int r = 0; r < kSide<T>; ++r) {
    if (kWhole || r < n) store<T>(to + r * to_row, x[r]);
  }
}

template <class T, bool kAllRows>
static inline void transpose_rows(const T* from, Index from_row, Index n_rows, Index depth, T* to, Index to_row) {
  constexpr int side = kSide<T>;
  Index k = 0;
  for (; k + side <= depth; k += side) {
    transpose_block<T, kAllRows, true>(from + k, from_row, n_rows, side, to + k * to_row, to_row);
  }
  const int rest = static_cast<int>(depth - k);
  if (rest > 0) transpose_block<T, kAllRows, false>(from + k, from_row, n_rows, rest, to + k * to_row, to_row);
}

// to[k][j] = from[j][k] for j < width and k < depth.
template <class T>
static void pack_transposed(const T* from, Index from_row, Index width, Index depth, T* to, Index to_row) {
  constexpr Index lanes = kLanes<T>;
  Index j = 0;
  for (; j + lanes <= width; j += lanes) {
    transpose_rows<T, true>(from + j * from_row, from_row, lanes, depth, to + j, to_row);
  }
  if (j < width) transpose_rows<T, false>(from + j * from_row, from_row, width - j, depth, to + j, to_row);
}

// to[k][j] = from[k][j] for j < width and k < depth.
template <class T>
static void pack_rows(const T* from, Index from_row, Index width, Index depth, T* to, Index to_row) {
  constexpr Index lanes = kLanes<T>;
  for (Index k = 0; k < depth; ++k) {
    Index j = 0;
    for (; j + lanes <= width; j += lanes) store<T>(to + k * to_row + j, load(from + k * from_row + j));
    if (j < width) store<T>(to + k * to_row + j, load_n(from + k * from_row + j, static_cast<int>(width - j)));
  }
}

template <class T, int part, int... i>
static inline Part<T> extract(Vec<T> x, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(x, x, (part * kSide<T> + i)...);
}

// to[j][k] = from[k][j] for j < width and k < depth, where each row of `from` is padded to whole vectors.
template <class T>
static void unpack_transposed(const T* from, Index from_row, Index width, Index depth, T* to) {
  constexpr int lanes = kLanes<T>, side = kSide<T>;
  for (Index j = 0; j < width; j += lanes) {
    for (Index k = 0; k < depth; k += side) {
      Vec<T> x[side];
#pragma GCC unroll 4
      for (int r = 0; r < side; ++r) x[r] = load(from + smaller(k + r, depth - 1) * from_row + j);
      transpose_squares<T>(x);
      // The store of a whole part may reach into the next row only if that row is written later.
      const int n = static_cast<int>(smaller(side, depth - k));
      const Index whole_end = n == side ? width : depth < side ? width - divide_up(side - n, depth) : 0;
      T* at = to + j * depth + k;
      Index row = j;
      const auto put = [&](Part<T> item) {
        if (row < whole_end) {
          *reinterpret_cast<Part<T>*>(at) = item;
        } else if (row < width) {
          store_part(at, item, n);
        }
        at += depth;
        ++row;
      };
      [&]<int... p>(std::integer_sequence<int, p...>) {
        const auto put_part = [&]<int part>(std::integral_constant<int, part>) {
#pragma GCC unroll 4
          for (int r = 0; r < side; ++r) put(extract<T, part>(x[r], Lanes<T, side>{}));
        };
        (put_part(std::integral_constant<int, p>{}), ...);
      }(Lanes<T, lanes / side>{});
    }
  }
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
