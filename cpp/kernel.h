// What a kernel is: a plain function over operands whose memory and sizes are already known.
//
// Takes pointers into the arena and the real sizes of this step. Fills the output operand. Never allocates, never
// throws, and never sees a shape that its check has not accepted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rosenblatt {

enum class DType : std::int32_t { float32 = 0, float64 = 1, int32 = 2 };

inline constexpr int kMaxRank = 4;
inline constexpr std::size_t kScratchBytes = std::size_t{1} << 20;  // per thread, 64-byte aligned
inline constexpr int kVariadic = -1;

// A contiguous row-major array; a scalar has rank 0. It is aligned like its elements and no better. Only kernels whose
// split function divides the columns are given a matrix with a row_stride.
struct Operand {
  void* data = nullptr;
  DType dtype = DType::float32;
  bool sparse = false;  // data points to a CsrRows
  std::int32_t rank = 0;
  std::int64_t dims[kMaxRank] = {0, 0, 0, 0};
  std::int64_t row_stride = 0;  // elements from row to row of a slice of columns; 0: the rows are contiguous

  std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dims[i];
    return n;
  }
  std::int64_t stride() const { return row_stride != 0 ? row_stride : dims[1]; }  // matrices only
};

// Rows of a compressed-sparse-row matrix; its values are in the user's own array: row i of the batch is row rows[i] of the matrix.
struct CsrRows {
  const void* values;  // of the program's float type
  const std::int32_t* columns;
  const std::int64_t* offsets;  // the entries of row r are offsets[r] .. offsets[r + 1] - 1
  const std::int64_t* rows;
};

struct Call {
  const Operand* inputs = nullptr;
  std::int32_t n_inputs = 0;
  std::int32_t n_attrs = 0;
  Operand output;                       // rank -1 and no data if the instruction only updates its inputs
  const std::int64_t* attrs = nullptr;  // integers, or the bits of doubles: see attr_double
  void* scratch = nullptr;              // kScratchBytes
  std::int64_t first_row = 0;           // of the output within the whole output, if the call was split
};

inline double attr_double(std::int64_t bits) { return __builtin_bit_cast(double, bits); }

using KernelFunction = void (*)(const Call&);
using CheckFunction = const char* (*)(const Call&);  // returns nullptr, or what is wrong with the operands
using SplitFunction = bool (*)(Call&, Operand* inputs, int part, int n_parts);  // see split.h
using BoundFunction = std::int64_t (*)(const Call&);
inline constexpr int kIndexOperand = 1;  // the usual index_operand

struct Kernel {
  const char* name;
  std::int32_t n_inputs;  // kVariadic: one or more
  std::int32_t n_attrs;   // kVariadic: any number
  CheckFunction check;
  KernelFunction float32;
  KernelFunction float64;
  SplitFunction split = nullptr;               // divides the work among threads; nullptr: it cannot be divided
  std::int32_t n_writes = 0;                   // the number of leading inputs that are updated
  BoundFunction index_bound = nullptr;         // of kernels that read or write at indices: these are below the bound
  std::int32_t index_operand = kIndexOperand;  // the input that holds the indices
};

struct KernelTable {
  const Kernel* rows;
  std::int32_t size;
};

}  // namespace rosenblatt
