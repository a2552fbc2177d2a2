// The register tile of a matrix product: a few rows of C by a few vectors of its columns, over a range of k.
//
// Takes rows of B as vectors along n, and op(A) by its two strides, so that a transposed or copied A needs no kernel of
// its own. Sets C or adds to it. Each element is a chain of fused multiply-adds in the order of k; it never depends on
// the size of the tile or on its position in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "simd.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

// The registers hold the accumulators, one row of B, and an element of A (or several, if a multiply-add cannot
// broadcast from memory).
inline constexpr int kMaxVectors = kRegisters == 32 ? 4 : 2;
constexpr int max_rows(int n_vectors) {
  if (kRegisters == 32) return n_vectors > 2 ? 6 : kVectorBytes == 64 ? 14 : 12;
  return n_vectors == 1 ? 10 : 6;
}

// If masked loads are slow, the caller pads the last vector of each row of B. Otherwise only `tail` elements are read.
#if defined(__AVX512F__)
inline constexpr bool kReadsMasked = true;
#else
inline constexpr bool kReadsMasked = false;
#endif

// From this depth on, computing a tile takes long enough to hide the prefetch of its part of C.
inline constexpr Index kPrefetchDepth = 64;

template <class T>
struct Tile {
  Index depth;  // the range of k
  const T* a;
  Index a_row, a_depth;  // strides of op(A)
  const T* b;
  Index b_depth;  // stride of op(B) between its rows
  T* c;
  Index c_row;
  int tail;       // columns of the last vector, 1 to kLanes<T>
  bool add;       // add to C instead of overwriting it
  const T* bias;  // of these columns, or nullptr: added to every row
  bool relu;      // negative results become zero
  const T* gate;  // laid out like C, or nullptr: where it is not positive, C becomes zero
};

template <class T>
using TileFunction = void (*)(const Tile<T>&);

template <class T, int kRows, int kVectors>
void multiply_tile(const Tile<T>& t) {
  constexpr int lanes = kLanes<T>, last = kVectors - 1, groups = (kRows + 3) / 4;
  const int tail = t.tail;
  const Index row = t.a_row, row_3 = 3 * row, step = t.a_depth;
  const T* a[groups];  // one pointer per four rows; addressing modes reach the others
#pragma GCC unroll 4
  for (int g = 0; g < groups; ++g) a[g] = t.a + 4 * g * row;
  const T* b = t.b;
  T* const c = t.c;
  const Index c_row = t.c_row;
  if (t.depth >= kPrefetchDepth) {
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) __builtin_prefetch(c + i * c_row + v * lanes, 1);
    }
  }
  Vec<T> sum[kRows][kVectors] = {};
  for (Index k = t.depth; k > 0; --k) {
    Vec<T> b_row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < last; ++v) b_row[v] = load(b + v * lanes);
    b_row[last] = kReadsMasked ? load_n(b + last * lanes, tail) : load(b + last * lanes);
    b += t.b_depth;
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
      const T* at = a[i / 4];
      const Vec<T> x = broadcast(i % 4 == 0 ? at[0] : i % 4 == 1 ? at[row] : i % 4 == 2 ? at[2 * row] : at[row_3]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = fma<T>(x, b_row[v], sum[i][v]);
    }
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) {
      a[g] += step;
      asm("" : "+r"(a[g]));  // otherwise the compiler keeps a pointer per row: too many for the registers
    }
  }
  if (t.add) {
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < last; ++v) sum[i][v] = load(c + i * c_row + v * lanes) + sum[i][v];
      sum[i][last] = load_n(c + i * c_row + last * lanes, tail) + sum[i][last];
    }
  }
  if (t.bias != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vec<T> bias = v < last ? load(t.bias + v * lanes) : load_n(t.bias + v * lanes, tail);
#pragma GCC unroll 14
      for (int i = 0; i < kRows; ++i) sum[i][v] += bias;
    }
  }
  if (t.relu) {
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = sum[i][v] < T(0) ? Vec<T>{} : sum[i][v];
    }
  }
  if (t.gate != nullptr) {
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const T* at = t.gate + i * c_row + v * lanes;
        sum[i][v] = (v < last ? load(at) : load_n(at, tail)) > T(0) ? sum[i][v] : Vec<T>{};
      }
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < last; ++v) store<T>(c + i * c_row + v * lanes, sum[i][v]);
    store_n<T>(c + i * c_row + last * lanes, sum[i][last], tail);
  }
}

template <class T, int kVectors, class Rows>
struct TilesOf;
template <class T, int kVectors, int... kRow>
struct TilesOf<T, kVectors, std::integer_sequence<int, kRow...>> {
  static constexpr TileFunction<T> by_rows[] = {multiply_tile<T, kRow + 1, kVectors>...};
};

template <class T, int kVectors>
inline TileFunction<T> tile_with_rows(int n_rows) {
  return TilesOf<T, kVectors, std::make_integer_sequence<int, max_rows(kVectors)>>::by_rows[n_rows - 1];
}

// Computes a tile of this size: 1 <= n_vectors <= kMaxVectors, 1 <= n_rows <= max_rows(n_vectors).
template <class T>
inline TileFunction<T> tile_function(int n_vectors, int n_rows) {
  if (n_vectors == 1) return tile_with_rows<T, 1>(n_rows);
  if constexpr (kMaxVectors == 4) {
    if (n_vectors == 3) return tile_with_rows<T, 3>(n_rows);
    if (n_vectors == 4) return tile_with_rows<T, 4>(n_rows);
  }
  return tile_with_rows<T, 2>(n_rows);
}

// Divides n_rows rows of C into tiles of nearly equal height: n_high tiles with one more row, then n_low.
template <class T>
struct Split {
  TileFunction<T> high, low;
  int n_high, n_low, low_rows;
};

template <class T>
inline Split<T> split_rows(Index n_rows, int n_vectors) {
  const auto n = static_cast<std::uint32_t>(n_rows);  // at most one block, see multiply; 32-bit divisions are faster
  const std::uint32_t n_tiles = n_vectors == 1   ? (n + max_rows(1) - 1) / max_rows(1)
                                : n_vectors == 2 ? (n + max_rows(2) - 1) / max_rows(2)
                                                 : (n + max_rows(4) - 1) / max_rows(4);
  const std::uint32_t low_rows = n_tiles == 1 ? n : n / n_tiles, n_high = n - low_rows * n_tiles;
  Split<T> split{};
  split.low_rows = static_cast<int>(low_rows);
  split.n_high = static_cast<int>(n_high);
  split.n_low = static_cast<int>(n_tiles - n_high);
  split.low = tile_function<T>(n_vectors, split.low_rows);
  if (n_high > 0) split.high = tile_function<T>(n_vectors, split.low_rows + 1);
  return split;
}

// Computes one panel of columns.
template <class T>
inline void multiply_panel(Tile<T> tile, const Split<T>& split) {
  const Index low = split.low_rows, high = low + 1;
  for (int i = 0; i < split.n_high; ++i) {
    split.high(tile);
    tile.a += high * tile.a_row;
    tile.c += high * tile.c_row;
    if (tile.gate != nullptr) tile.gate += high * tile.c_row;
  }
  for (int i = 0; i < split.n_low; ++i) {
    split.low(tile);
    tile.a += low * tile.a_row;
    tile.c += low * tile.c_row;
    if (tile.gate != nullptr) tile.gate += low * tile.c_row;
  }
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
