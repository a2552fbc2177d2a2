// Gathers rows of a table by index, adds rows back into a table, and encodes classes one-hot. Indices are within the
// table: each kernel declares their bound, and the executor checks it before a run.
#include "kernels/loops.h"
#include "kernels/tables.h"
#include "split.h"

namespace rosenblatt::ROSENBLATT_ISA {
namespace {

using Index = std::int64_t;

inline Index row_width(const Operand& x) { return x.rank == 2 ? x.dims[1] : 1; }

template <class T>
void gather_rows_kernel(const Call& call) {
  const T* table = data_of<const T>(call.inputs[0]);
  const std::int32_t* indices = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const Index n = call.inputs[1].dims[0], width = row_width(call.inputs[0]);
  if (width == 1) {
    for (Index i = 0; i < n; ++i) out[i] = table[indices[i]];
    return;
  }
  for (Index i = 0; i < n; ++i, out += width) {
    const T* from = table + indices[i] * width;
    for_vectors<T>(width, [=](Index j, auto size) { size.put(out + j, size.get(from + j)); });
  }
}

template <class T>
void scatter_add_rows_kernel(const Call& call) {
  const T* g = data_of<const T>(call.inputs[0]);
  const std::int32_t* indices = data_of<const std::int32_t>(call.inputs[1]);
  T* out = data_of<T>(call.output);
  const Index n = call.inputs[1].dims[0], width = row_width(call.inputs[0]), size_out = call.output.size();
  if (size_out == 0) return;
  std::memset(out, 0, static_cast<std::size_t>(size_out) * sizeof(T));
  if (width == 1) {
    for (Index i = 0; i < n; ++i) out[indices[i]] += g[i];
    return;
  }
  for (Index i = 0; i < n; ++i, g += width) {
    T* to = out + indices[i] * width;
    for_vectors<T>(width, [=](Index j, auto size) { size.put(to + j, size.get(to + j) + size.get(g + j)); });
  }
}

template <class T>
void one_hot_kernel(const Call& call) {
  const std::int32_t* labels = data_of<const std::int32_t>(call.inputs[0]);
  T* out = data_of<T>(call.output);
  const Index m = call.output.dims[0], n = call.output.dims[1];
  if (m * n == 0) return;
  std::memset(out, 0, static_cast<std::size_t>(m * n) * sizeof(T));
  for (Index i = 0; i < m; ++i, out += n) out[labels[i]] = T(1);
}

// A table T[n, d] or T[n], indices int32[m], and rows T[m, d] or T[m].
const char* check_rows(const Operand& table, const Operand& indices, const Operand& rows) {
  if (rows.rank < 1 || rows.rank > 2 || table.rank != rows.rank) return kWrongShape;
  if (!is_indices(indices, rows.dims[0])) return "the row indices must be int32, one for each row";
  if (table.rank == 2 && table.dims[1] != rows.dims[1]) return kWrongShape;
  return nullptr;
}

const char* check_gather_rows(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  return check_rows(call.inputs[0], call.inputs[1], call.output);
}

const char* check_scatter_add_rows(const Call& call) {
  if (!one_float_type(call, 0, 1)) return kWrongType;
  if (call.output.rank < 1 || call.attrs[0] != call.output.dims[0]) return kWrongAttribute;
  return check_rows(call.output, call.inputs[1], call.inputs[0]);
}

const char* check_one_hot(const Call& call) {
  if (!is_dense_float(call.output)) return kWrongType;
  if (call.output.rank != 2) return kWrongOutput;
  if (call.attrs[0] != call.output.dims[1]) return kWrongAttribute;
  return is_indices(call.inputs[0], call.output.dims[0]) ? nullptr : "labels must be int32, one for each row";
}

Index rows_of_table(const Call& call) { return call.inputs[0].dims[0]; }
Index rows_of_output(const Call& call) { return call.output.dims[0]; }
Index columns_of_output(const Call& call) { return call.output.dims[1]; }

constexpr Kernel rows[] = {
    {"gather_rows", 2, 0, check_gather_rows, gather_rows_kernel<float>, gather_rows_kernel<double>, split_gather, 0,
     rows_of_table},
    {"scatter_add_rows", 2, 1, check_scatter_add_rows, scatter_add_rows_kernel<float>, scatter_add_rows_kernel<double>,
     nullptr, 0, rows_of_output},
    {"one_hot", 1, 1, check_one_hot, one_hot_kernel<float>, one_hot_kernel<double>, split_all_rows, 0,
     columns_of_output, 0},
};

}  // namespace

const KernelTable gather_table{rows, sizeof(rows) / sizeof(rows[0])};

}  // namespace rosenblatt::ROSENBLATT_ISA
