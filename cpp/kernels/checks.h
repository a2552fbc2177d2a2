// Conditions on operands that the check functions of the kernels share. They never look at data.
#pragma once

#include "kernel.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

[[maybe_unused]] constexpr const char* kWrongType = "the operands must be dense and have the program's float type";
[[maybe_unused]] constexpr const char* kWrongShape = "the shapes of the operands do not agree";
[[maybe_unused]] constexpr const char* kWrongOutput = "the output has the wrong type or shape";
[[maybe_unused]] constexpr const char* kWrongAttribute = "an attribute is out of range";

inline bool is_dense_float(const Operand& x) {
  return x.rank >= 0 && !x.sparse && (x.dtype == DType::float32 || x.dtype == DType::float64);
}

inline bool is_dense(const Operand& x, DType dtype) { return !x.sparse && x.dtype == dtype; }

// int32 [length]
inline bool is_indices(const Operand& x, std::int64_t length) {
  return is_dense(x, DType::int32) && x.rank == 1 && x.dims[0] == length;
}

// Whether inputs first .. last - 1 and the output are dense and have the same float type.
[[maybe_unused]] inline bool one_float_type(const Call& call, int first, int last) {
  if (!is_dense_float(call.output)) return false;
  for (int i = first; i < last; ++i) {
    if (!is_dense(call.inputs[i], call.output.dtype)) return false;
  }
  return true;
}

inline bool same_shape(const Operand& a, const Operand& b) {
  if (a.rank != b.rank) return false;
  for (int d = 0; d < a.rank; ++d) {
    if (a.dims[d] != b.dims[d]) return false;
  }
  return true;
}

// For elementwise kernels without broadcasting.
template <int kInputs>
const char* check_same_shape(const Call& call) {
  if (!one_float_type(call, 0, kInputs)) return kWrongType;
  for (int i = 0; i < kInputs; ++i) {
    if (!same_shape(call.inputs[i], call.output)) return kWrongShape;
  }
  return nullptr;
}

// The dimension of `x` along axis `axis` of a result of rank `rank`; broadcasting aligns the last axes.
inline std::int64_t aligned_dim(const Operand& x, int rank, int axis) {
  const int own = axis - (rank - x.rank);
  return own < 0 ? 1 : x.dims[own];
}

// For kernels with NumPy's broadcasting: the output must have the broadcast shape of the operands.
template <int kInputs>
const char* check_broadcast(const Call& call) {
  if (!one_float_type(call, 0, kInputs)) return kWrongType;
  int rank = 0;
  for (int i = 0; i < kInputs; ++i) rank = call.inputs[i].rank > rank ? call.inputs[i].rank : rank;
  if (call.output.rank != rank) return kWrongOutput;
  for (int axis = 0; axis < rank; ++axis) {
    std::int64_t dim = 1;
    for (int i = 0; i < kInputs; ++i) {
      const std::int64_t own = aligned_dim(call.inputs[i], rank, axis);
      if (own != 1 && dim != 1 && own != dim) return kWrongShape;
      if (own != 1) dim = own;
    }
    if (call.output.dims[axis] != dim) return kWrongOutput;
  }
  return nullptr;
}

// The sizes before, along and after an axis; their product is the size of the operand.
struct AroundAxis {
  std::int64_t outer = 1, along = 1, inner = 1;
};

[[maybe_unused]] inline AroundAxis around_axis(const Operand& x, int axis) {
  AroundAxis sizes;
  for (int d = 0; d < axis; ++d) sizes.outer *= x.dims[d];
  sizes.along = x.dims[axis];
  for (int d = axis + 1; d < x.rank; ++d) sizes.inner *= x.dims[d];
  return sizes;
}

// Whether two operands have the same rank and the same dimensions except along `axis`.
[[maybe_unused]] inline bool same_but_axis(const Operand& a, const Operand& b, std::int64_t axis) {
  if (a.rank != b.rank || axis < 0 || axis >= a.rank) return false;
  for (int d = 0; d < a.rank; ++d) {
    if (d != axis && a.dims[d] != b.dims[d]) return false;
  }
  return true;
}

}  // namespace
}  // namespace rosenblatt::ROSENBLATT_ISA
