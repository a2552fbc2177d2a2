// The user's data: rows of arrays and sparse matrices. Numbers are read in place. Integers that say where to read or
// write are copied before they are checked, because the user's arrays can change while a run reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel.h"

namespace rosenblatt {

enum class SourceType : std::int32_t { float32, float64, int32 };

// Rows of data. The factory functions validate everything that a run relies on.
struct Source {
  SourceType type = SourceType::float32;
  bool sparse = false;
  const std::byte* data = nullptr;  // dense: element (i, j) at data + i * row_stride + j * column_stride
  std::int64_t n_rows = 0, width = 0;
  std::int64_t row_stride = 0, column_stride = 0;  // bytes
  const std::int32_t* columns = nullptr;           // sparse
  const std::int64_t* offsets = nullptr;
  std::int32_t largest = -1;                                     // of the integers
  std::shared_ptr<const std::vector<std::int32_t>> integers;     // the memory of codes, or of columns
  std::shared_ptr<const std::vector<std::int64_t>> row_offsets;  // the memory of offsets

  static Source dense(const void* data, SourceType type, std::int64_t n_rows, std::int64_t width,
                      std::int64_t row_stride, std::int64_t column_stride);
  // Integers in [0, limit), such as class labels. Throws std::invalid_argument that names the first one outside.
  static Source codes(std::vector<std::int32_t> codes, std::int64_t limit);
  // The values stay in the user's array; `n_values` is its length.
  static Source csr(const void* values, SourceType type, std::int64_t n_values, std::vector<std::int32_t> columns,
                    std::vector<std::int64_t> offsets, std::int64_t width);

  // Drops the first n rows.
  void skip(std::int64_t n) {
    if (sparse) {
      offsets += n;
    } else {
      data += n * row_stride;
    }
    n_rows -= n;
  }
};

// Copies the rows with these indices into a value of the program, converted to its type. For a sparse source it stores
// pointers to the rows.
void gather(const Operand& to, const Source& source, const std::int64_t* rows);

// An element of a dense source with one column of floats.
double element(const Source& source, std::int64_t row);

}  // namespace rosenblatt
