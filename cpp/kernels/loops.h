// The loops of elementwise kernels, over vectors and over broadcast operands.
//
// Takes an operation on vectors, a type with `template <class T> static Vec<T> apply(Vec<T>...)`, or one on single
// numbers (from libm), a type with `static T scalar(T...)`. Fills the whole output. Never writes an element of the
// output before it has read the same element of each operand, so the output may overwrite an operand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/checks.h"
#include "simd.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

template <class T>
inline T* data_of(const Operand& x) {
  return static_cast<T*>(x.data);
}

// A full vector of an array, and the shorter last one. The same code handles both.
template <class T>
struct Whole {
  Vec<T> get(const T* p) const { return load<T>(p); }
  void put(T* p, Vec<T> v) const { store<T>(p, v); }
};
template <class T>
struct Part {
  int n;
  Vec<T> get(const T* p) const { return load_n<T>(p, n); }
  void put(T* p, Vec<T> v) const { store_n<T>(p, v, n); }
};

template <class T, class Body>
inline void for_vectors(std::int64_t n, Body&& body) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) body(i, Whole<T>{});
  if (i < n) body(i, Part<T>{static_cast<int>(n - i)});
}

// An operand of a loop: an array, or one repeated number.
template <class T>
struct Stream {
  const T* p;
  template <class Size>
  Vec<T> at(std::int64_t i, Size size) const {
    return size.get(p + i);
  }
  T scalar_at(std::int64_t i) const { return p[i]; }
};
template <class T>
struct Fixed {
  Vec<T> value;
  template <class Size>
  Vec<T> at(std::int64_t, Size) const {
    return value;
  }
  T scalar_at(std::int64_t) const { return value[0]; }
};

template <class Op, class T, class... Source>
inline void map(std::int64_t n, T* out, Source... x) {
  if constexpr (requires { Op::scalar(x.scalar_at(0)...); }) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = Op::scalar(x.scalar_at(i)...);
  } else {
    for_vectors<T>(n, [=](std::int64_t i, auto size) { size.put(out + i, Op::template apply<T>(x.at(i, size)...)); });
  }
}

// All operands have the output's shape.
template <class Op, int kInputs, class T>
void same_shape_kernel(const Call& call) {
  const auto run = [&]<int... I>(std::integer_sequence<int, I...>) {
    map<Op, T>(call.output.size(), data_of<T>(call.output), Stream<T>{data_of<T>(call.inputs[I])}...);
  };
  run(std::make_integer_sequence<int, kInputs>{});
}

// A nest of loops over the output, innermost first. Adjacent axes are merged if the same operands vary along them.
template <int kInputs>
struct Nest {
  int depth = 0;
  std::int64_t size[kMaxRank] = {1, 1, 1, 1};
  unsigned present[kMaxRank] = {};  // bit i: operand i varies along this loop
  std::int64_t stride[kMaxRank][kInputs] = {};
};

template <int kInputs>
Nest<kInputs> make_nest(const Call& call) {
  Nest<kInputs> nest;
  std::int64_t size_so_far[kInputs];
  for (int i = 0; i < kInputs; ++i) size_so_far[i] = 1;
  for (int axis = call.output.rank - 1; axis >= 0; --axis) {
    const std::int64_t n = call.output.dims[axis];
    if (n == 1) continue;
    unsigned present = 0;
    for (int i = 0; i < kInputs; ++i) {
      if (aligned_dim(call.inputs[i], call.output.rank, axis) != 1) present |= 1u << i;
    }
    if (nest.depth > 0 && nest.present[nest.depth - 1] == present) {
      nest.size[nest.depth - 1] *= n;
    } else {
      nest.size[nest.depth] = n;
      nest.present[nest.depth] = present;
      for (int i = 0; i < kInputs; ++i) nest.stride[nest.depth][i] = present >> i & 1 ? size_so_far[i] : 0;
      ++nest.depth;
    }
    for (int i = 0; i < kInputs; ++i) size_so_far[i] *= present >> i & 1 ? n : 1;
  }
  return nest;
}

// n_rows rows of n elements. Bit i of kPresent: operand i varies along a row. Strides are between rows.
template <class Op, class T, unsigned kPresent, int... I>
void map_rows(std::int64_t n_rows, std::int64_t n, T* out, const T* const* in, const std::int64_t* stride) {
  const auto source = []<unsigned kVaries>(const T* p, std::integral_constant<unsigned, kVaries>) {
    if constexpr (kVaries != 0) {
      return Stream<T>{p};
    } else {
      return Fixed<T>{broadcast(*p)};
    }
  };
  for (std::int64_t row = 0; row < n_rows; ++row) {
    map<Op, T>(n, out + row * n,
               source(in[I] + row * stride[I], std::integral_constant<unsigned, (kPresent >> I & 1)>{})...);
  }
}

template <class T>
using RowsFunction = void (*)(std::int64_t, std::int64_t, T*, const T* const*, const std::int64_t*);

// If there are several operands, at least one of them varies along a row.
template <class Op, int kInputs, class T>
inline RowsFunction<T> rows_function(unsigned present) {
  constexpr unsigned first = kInputs > 1 ? 1 : 0;
  const auto choose = [=]<int... I, unsigned... kBeyond>(std::integer_sequence<int, I...>,
                                                         std::integer_sequence<unsigned, kBeyond...>) {
    constexpr RowsFunction<T> functions[] = {map_rows<Op, T, first + kBeyond, I...>...};
    return functions[present - first];
  };
  return choose(std::make_integer_sequence<int, kInputs>{},
                std::make_integer_sequence<unsigned, (1u << kInputs) - first>{});
}

inline constexpr std::int64_t kExpanded = 256;  // elements in a joined row

// Fills `to` with `times` copies of the n elements of `from`.
template <class T>
inline void repeat(T* to, const T* from, std::int64_t n, std::int64_t times) {
  for (std::int64_t t = 0; t < times; ++t) {
    for (std::int64_t i = 0; i < n; ++i) to[t * n + i] = from[i];
  }
}

// Joins several short rows into one, and repeats the operands that are the same for every row.
template <int kInputs, class T>
void map_short_rows(const Nest<kInputs>& nest, RowsFunction<T> rows, T* out, const T* const* in) {
  const std::int64_t n = nest.size[0], n_rows = nest.size[1], group = kExpanded / n;
  T repeated[kInputs][kExpanded];
  const T* from[kInputs];
  std::int64_t stride[kInputs];
  for (int i = 0; i < kInputs; ++i) {
    const bool repeats = nest.present[0] >> i & 1 && !(nest.present[1] >> i & 1);
    if (repeats) repeat(repeated[i], in[i], n, group < n_rows ? group : n_rows);
    from[i] = repeats ? repeated[i] : in[i];
    stride[i] = nest.stride[1][i] * group;
  }
  const std::int64_t n_groups = n_rows / group, done = n_groups * group;
  rows(n_groups, group * n, out, from, stride);
  for (int i = 0; i < kInputs; ++i) from[i] += n_groups * stride[i];
  rows(1, (n_rows - done) * n, out + done * n, from, stride);
}

template <class Op, int kInputs, class T>
__attribute__((noinline)) void map_nest(const Call& call) {
  const Nest<kInputs> nest = make_nest<kInputs>(call);
  const RowsFunction<T> rows = rows_function<Op, kInputs, T>(nest.present[0]);
  // Short rows can be joined if every operand that varies between rows also varies along them.
  const bool joins = nest.size[0] < 2 * kLanes<T> && nest.size[1] > 4 && (nest.present[1] & ~nest.present[0]) == 0;
  T* out = data_of<T>(call.output);
  for (std::int64_t i3 = 0; i3 < nest.size[3]; ++i3) {
    for (std::int64_t i2 = 0; i2 < nest.size[2]; ++i2) {
      const T* in[kInputs];
      for (int i = 0; i < kInputs; ++i) {
        in[i] = data_of<const T>(call.inputs[i]) + i3 * nest.stride[3][i] + i2 * nest.stride[2][i];
      }
      if (joins) {
        map_short_rows<kInputs, T>(nest, rows, out, in);
      } else {
        rows(nest.size[1], nest.size[0], out, in, nest.stride[1]);
      }
      out += nest.size[0] * nest.size[1];
    }
  }
}

// Runs an operation with NumPy's broadcasting.
template <class Op, int kInputs, class T>
void broadcast_kernel(const Call& call) {
  const std::int64_t size = call.output.size();
  if (size == 0) return;
  // If each operand has the output's shape or is one number, the output is one row.
  unsigned present = 0;
  bool one_row = true;
  const T* in[kInputs];
  for (int i = 0; i < kInputs; ++i) {
    const std::int64_t n = call.inputs[i].size();
    if (n == size) present |= 1u << i;
    one_row = one_row && (n == size || n == 1);
    in[i] = data_of<const T>(call.inputs[i]);
  }
  if (one_row) {
    constexpr std::int64_t stride[kInputs] = {};
    return rows_function<Op, kInputs, T>(present)(1, size, data_of<T>(call.output), in, stride);
  }
  map_nest<Op, kInputs, T>(call);
}

// Rows for the table of a family.
template <class Op, int kInputs>
constexpr Kernel same_shape_row(const char* name) {
  return {name,
          kInputs,
          0,
          check_same_shape<kInputs>,
          same_shape_kernel<Op, kInputs, float>,
          same_shape_kernel<Op, kInputs, double>,
          split_rows};
}
template <class Op, int kInputs>
constexpr Kernel broadcast_row(const char* name) {
  return {name,
          kInputs,
          0,
          check_broadcast<kInputs>,
          broadcast_kernel<Op, kInputs, float>,
          broadcast_kernel<Op, kInputs, double>,
          split_rows};
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
