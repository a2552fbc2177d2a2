#include "source.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "fail.h"

namespace rosenblatt {

namespace {

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kAhead = 4096;  // bytes to prefetch ahead of the copy: the next row may lie anywhere in memory

// Copies a short row in whole words, the last of which may overlap the previous one: a call to memcpy costs more.
void copy_row(std::byte* to, const std::byte* from, std::int64_t bytes) {
  constexpr std::int64_t word = 16, few = 8 * word;
  if (bytes < word || bytes > few) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  for (std::int64_t b = 0; b + word < bytes; b += word) std::memcpy(to + b, from + b, word);
  std::memcpy(to + bytes - word, from + bytes - word, word);
}

// Copies rows whose elements are contiguous and need no conversion.
void copy_rows(std::byte* to, const Source& source, const std::int64_t* rows, std::int64_t n_rows, std::int64_t bytes) {
  const std::int64_t ahead = std::clamp<std::int64_t>(kAhead / std::max<std::int64_t>(bytes, 1), 1, 16);
  for (std::int64_t i = 0; i < n_rows; ++i, to += bytes) {
    if (i + ahead < n_rows) {
      const std::byte* next = source.data + rows[i + ahead] * source.row_stride;
      for (std::int64_t b = 0; b < bytes; b += kLine) __builtin_prefetch(next + b);
    }
    copy_row(to, source.data + rows[i] * source.row_stride, bytes);
  }
}

template <class To, class From>
void gather_as(To* to, const Source& source, const std::int64_t* rows, std::int64_t n_rows) {
  constexpr auto item = static_cast<std::int64_t>(sizeof(From));
  if (std::is_same_v<To, From> && source.column_stride == item) {
    return copy_rows(reinterpret_cast<std::byte*>(to), source, rows, n_rows, source.width * item);
  }
  for (std::int64_t i = 0; i < n_rows; ++i, to += source.width) {
    const std::byte* from = source.data + rows[i] * source.row_stride;
    for (std::int64_t j = 0; j < source.width; ++j, from += source.column_stride) {
      From element;
      std::memcpy(&element, from, sizeof element);
      to[j] = static_cast<To>(element);
    }
  }
}

template <class To>
void gather_rows(To* to, const Source& source, const std::int64_t* rows, std::int64_t n_rows) {
  switch (source.type) {
    case SourceType::float32: return gather_as<To, float>(to, source, rows, n_rows);
    case SourceType::float64: return gather_as<To, double>(to, source, rows, n_rows);
    case SourceType::int32: return gather_as<To, std::int32_t>(to, source, rows, n_rows);
  }
}

}  // namespace

void gather(const Operand& to, const Source& source, const std::int64_t* rows) {
  const std::int64_t n_rows = to.dims[0];
  if (source.sparse) {
    const CsrRows csr{source.data, source.columns, source.offsets, rows};
    std::memcpy(to.data, &csr, sizeof csr);
  } else if (to.dtype == DType::float32) {
    gather_rows(static_cast<float*>(to.data), source, rows, n_rows);
  } else if (to.dtype == DType::float64) {
    gather_rows(static_cast<double*>(to.data), source, rows, n_rows);
  } else {
    gather_rows(static_cast<std::int32_t*>(to.data), source, rows, n_rows);
  }
}

double element(const Source& source, std::int64_t row) {
  const std::byte* at = source.data + row * source.row_stride;
  if (source.type == SourceType::float64) {
    double value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  float value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

Source Source::dense(const void* data, SourceType type, std::int64_t n_rows, std::int64_t width,
                     std::int64_t row_stride, std::int64_t column_stride) {
  Source source;
  source.type = type;
  source.data = static_cast<const std::byte*>(data);
  source.n_rows = n_rows;
  source.width = width;
  source.row_stride = row_stride;
  source.column_stride = column_stride;
  return source;
}

Source Source::codes(std::vector<std::int32_t> codes, std::int64_t limit) {
  if (limit < 0) fail("the number of codes must be at least 0");
  std::int32_t largest = -1;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    largest = std::max(largest, codes[i]);
    if (codes[i] < 0 || codes[i] >= limit) {
      fail("row " + std::to_string(i) + " holds the code " + std::to_string(codes[i]) + "; allowed: 0 to " +
           std::to_string(limit - 1));
    }
  }
  auto own = std::make_shared<const std::vector<std::int32_t>>(std::move(codes));
  Source source = dense(own->data(), SourceType::int32, static_cast<std::int64_t>(own->size()), 1, sizeof(std::int32_t),
                        sizeof(std::int32_t));
  source.largest = largest;
  source.integers = std::move(own);
  return source;
}

Source Source::csr(const void* values, SourceType type, std::int64_t n_values, std::vector<std::int32_t> columns,
                   std::vector<std::int64_t> offsets, std::int64_t width) {
  if (offsets.empty() || static_cast<std::int64_t>(columns.size()) != n_values) {
    fail("a sparse matrix needs as many columns as values, and at least one row offset");
  }
  if (width < 0) fail("the number of columns of a sparse matrix must be at least 0");
  const std::size_t item = type == SourceType::float64 ? alignof(double) : alignof(float);
  if (reinterpret_cast<std::uintptr_t>(values) % item != 0) fail("the values of a sparse matrix must be aligned");
  if (offsets.front() < 0 || offsets.back() > n_values) {
    fail("the row offsets of the sparse matrix must be 0 to its number of values");
  }
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    if (offsets[i] > offsets[i + 1]) {
      fail("the row offsets of the sparse matrix must not decrease; they do at row " + std::to_string(i));
    }
  }
  for (std::int64_t i = offsets.front(); i < offsets.back(); ++i) {
    const std::int32_t column = columns[static_cast<std::size_t>(i)];
    if (column < 0 || column >= width) {
      fail("the sparse matrix has the column index " + std::to_string(column) + "; allowed: 0 to " +
           std::to_string(width - 1));
    }
  }
  Source source;
  source.type = type;
  source.sparse = true;
  source.data = static_cast<const std::byte*>(values);
  source.n_rows = static_cast<std::int64_t>(offsets.size()) - 1;
  source.width = width;
  source.integers = std::make_shared<const std::vector<std::int32_t>>(std::move(columns));
  source.row_offsets = std::make_shared<const std::vector<std::int64_t>>(std::move(offsets));
  source.columns = source.integers->data();
  source.offsets = source.row_offsets->data();
  return source;
}

}  // namespace rosenblatt
