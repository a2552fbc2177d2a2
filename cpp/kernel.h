// What a kernel is: a plain function over operands whose memory and sizes are already known.
//
// Goes in: pointers into the arena and the real sizes of this step. Comes out: the output operand, filled.
// A kernel never allocates, never throws, never looks at a shape that its check has not accepted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rosenblatt {

enum class DType : std::int32_t { float32 = 0, float64 = 1, int32 = 2 };

inline constexpr int kMaxRank = 4;
inline constexpr std::size_t kScratchBytes = std::size_t{1} << 20;  // per thread, 64-byte aligned
inline constexpr int kVariadic = -1;

// A contiguous row-major array; a scalar has rank 0. Nothing about its alignment is promised beyond its element's.
// Only a kernel whose split cuts columns meets a matrix with a row_stride.
struct Operand {
  void* data = nullptr;
  DType dtype = DType::float32;
  bool sparse = false;   // data points to a CsrRows
  std::int32_t rank = 0;
  std::int64_t dims[kMaxRank] = {0, 0, 0, 0};
  std::int64_t row_stride = 0;  // of columns of a wider matrix: elements from row to row; else 0

  std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dims[i];
    return n;
  }
  std::int64_t stride() const { return row_stride != 0 ? row_stride : dims[1]; }  // of a matrix
};

// Rows of a compressed-sparse-row matrix, read where the user's arrays are: row i of the batch is rows[i].
struct CsrRows {
  const void* values;            // of the program's float type
  const std::int32_t* columns;
  const std::int64_t* offsets;   // row r owns entries offsets[r] .. offsets[r + 1]
  const std::int64_t* rows;
};

struct Call {
  const Operand* inputs = nullptr;
  std::int32_t n_inputs = 0;
  std::int32_t n_attrs = 0;
  Operand output;                        // rank -1 and no data where the instruction only updates its inputs
  const std::int64_t* attrs = nullptr;   // integers, or the bits of a double: see attr_double
  void* scratch = nullptr;               // kScratchBytes
  std::int64_t first_row = 0;            // of the output within the whole one, where this is a part of it
};

inline double attr_double(std::int64_t bits) { return __builtin_bit_cast(double, bits); }

using KernelFunction = void (*)(const Call&);
using CheckFunction = const char* (*)(const Call&);  // nullptr, or what is wrong with the operands
using SplitFunction = bool (*)(Call&, Operand* inputs, int part, int n_parts);  // see split.h
using LimitFunction = std::int64_t (*)(const Call&);
inline constexpr int kNumbers = 1;  // the input that `limit` speaks of, mostly

struct Kernel {
  const char* name;
  std::int32_t n_inputs;   // kVariadic: one or more
  std::int32_t n_attrs;    // kVariadic: any number
  CheckFunction check;
  KernelFunction float32;
  KernelFunction float64;
  SplitFunction split = nullptr;  // how threads share the work; nullptr: not at all
  std::int32_t n_writes = 0;      // inputs that are updated: the first ones
  LimitFunction limit = nullptr;  // where input `numbers` says what is read or written: its numbers are 0 to limit - 1
  std::int32_t numbers = kNumbers;
};

struct KernelTable {
  const Kernel* rows;
  std::int32_t size;
};

}  // namespace rosenblatt
