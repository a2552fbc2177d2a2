// A program as the Python compiler produced it: validated once, then immutable.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernel.h"

namespace rosenblatt {

inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 40;  // bytes or rows: their sums cannot overflow

// Where a value is stored. A dimension d >= 0 is a size; d < 0 stands for -d * m, where m is the rows of the batch.
struct ValueSpec {
  DType dtype;
  bool workspace;  // false: in the persistent memory
  bool sparse;
  std::int32_t rank;
  std::int64_t offset;  // bytes
  std::int64_t dims[kMaxRank];
  std::int64_t bytes = 0;  // at the full capacity of rows

  std::int64_t dim(int axis, std::int64_t n_rows) const { return dims[axis] >= 0 ? dims[axis] : -dims[axis] * n_rows; }
  std::int64_t size(std::int64_t n_rows) const {
    std::int64_t n = 1;
    for (int d = 0; d < rank; ++d) n *= dim(d, n_rows);
    return n;
  }
};

struct InstructionSpec {
  const Kernel* kernel;
  std::vector<std::int32_t> inputs;
  std::int32_t output;  // -1: none
  std::vector<std::int64_t> attrs;
  std::int64_t index_bound = std::numeric_limits<std::int64_t>::max();  // see Kernel
};

// A value that holds indices at which kernels read or write: each must be in 0 .. bound - 1.
struct IndexOperand {
  std::int32_t value;  // an input, or a value in persistent memory
  std::int64_t bound;
};

// The values that the executor fills or reads; -1 if the program has no such value.
struct Roles {
  std::vector<std::int32_t> inputs;  // filled from the sources, in this order
  std::vector<std::int32_t> slots;   // scalars, filled before each step
  std::vector<std::int32_t> outputs;
  std::int32_t key = -1;             // int32[4]: seed low, seed high, step, first row of the block
  std::int32_t inverse_weight = -1;  // scalar: 1 / (sum of the weights of the batch's rows, or their number)
  std::int32_t weights = -1;         // position in `inputs` of the sample weights
  std::int32_t loss = -1;            // scalar
};

// A program with every pointer resolved for one number of rows.
struct Bound {
  std::int64_t n_rows = 0;
  std::vector<Operand> operands;
  std::vector<Call> calls;
  std::vector<const Kernel*> kernels;
  std::vector<KernelFunction> functions;

  void run() const {
    for (std::size_t i = 0; i < calls.size(); ++i) functions[i](calls[i]);
  }
};

class Program {
 public:
  static constexpr int kValueColumns = 5 + kMaxRank;

  // `values`: rows of (dtype, workspace, offset, sparse, rank, dims...). `code`: opcode, n_inputs, n_attrs, output,
  // inputs..., attrs... of each instruction. Throws std::invalid_argument that names the invalid instruction or value.
  Program(DType dtype, std::span<const std::int64_t> values, std::span<const std::int64_t> code, Roles roles,
          std::int64_t capacity, std::int64_t persistent_bytes, std::int64_t workspace_bytes);

  Bound bind(std::byte* persistent, std::byte* workspace, void* scratch, std::int64_t n_rows) const;
  Operand operand(std::int32_t value, std::byte* persistent, std::byte* workspace, std::int64_t n_rows) const;

  DType dtype() const { return dtype_; }
  const Roles& roles() const { return roles_; }
  const ValueSpec& value(std::int32_t id) const { return values_[static_cast<std::size_t>(id)]; }
  const std::vector<IndexOperand>& index_operands() const { return index_operands_; }
  std::int64_t n_values() const { return static_cast<std::int64_t>(values_.size()); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t persistent_bytes() const { return persistent_bytes_; }
  std::int64_t workspace_bytes() const { return workspace_bytes_; }
  // Bytes of a row of an output (of `roles().outputs`). Throws if the output does not have one row per row of the
  // batch.
  std::int64_t row_bytes(std::int32_t output) const;

 private:
  void read_values(std::span<const std::int64_t> values);
  void read_code(std::span<const std::int64_t> code);
  void check_value(std::size_t id);
  void check_roles() const;
  void check_inputs() const;
  void check_instructions(std::int64_t n_rows);
  void check_addresses();
  std::int32_t input_at(std::int32_t id) const;
  bool is_overwritten(std::int32_t id, std::int32_t input, std::size_t n_instructions) const;

  DType dtype_;
  std::vector<ValueSpec> values_;
  std::vector<InstructionSpec> instructions_;
  std::vector<IndexOperand> index_operands_;
  Roles roles_;
  std::int64_t capacity_, persistent_bytes_, workspace_bytes_;
};

std::int64_t item_bytes(DType dtype);

}  // namespace rosenblatt
