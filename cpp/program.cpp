#include "program.h"

#include <algorithm>
#include <string>

#include "dispatch.h"
#include "fail.h"

namespace rosenblatt {

namespace {

constexpr std::int64_t kMaxEmpty = std::int64_t{1} << 24;  // bytes

bool overlap(const ValueSpec& a, const ValueSpec& b) {
  return a.workspace == b.workspace && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

}  // namespace

std::int64_t item_bytes(DType dtype) { return dtype == DType::float64 ? 8 : 4; }

Program::Program(DType dtype, std::span<const std::int64_t> values, std::span<const std::int64_t> code, Roles roles,
                 std::int64_t capacity, std::int64_t persistent_bytes, std::int64_t workspace_bytes)
    : dtype_(dtype),
      roles_(std::move(roles)),
      capacity_(capacity),
      persistent_bytes_(persistent_bytes),
      workspace_bytes_(workspace_bytes) {
  if (dtype != DType::float32 && dtype != DType::float64) fail("the program's dtype must be float32 or float64");
  if (capacity < 1 || capacity > kMaxSize) fail("capacity must be 1 to 2**40 rows");
  if (persistent_bytes < 0 || workspace_bytes < 0 || persistent_bytes > kMaxSize || workspace_bytes > kMaxSize) {
    fail("the sizes of the arena must be 0 to 2**40 bytes");
  }
  read_values(values);
  read_code(code);
  check_roles();
  // Dimensions are linear in the number of rows: if they agree for these three numbers, they agree for all.
  for (const std::int64_t n_rows : {std::int64_t{0}, std::int64_t{1}, capacity}) check_instructions(n_rows);
  check_addresses();
}

void Program::read_values(std::span<const std::int64_t> values) {
  if (values.size() % kValueColumns != 0) {
    fail("the table of values must have " + std::to_string(kValueColumns) + " integers per row");
  }
  for (std::size_t at = 0; at < values.size(); at += kValueColumns) {
    const std::int64_t* row = &values[at];
    if (row[0] < 0 || row[0] > 2 || row[4] < 0 || row[4] > kMaxRank) {
      fail("value " + std::to_string(values_.size()) + " has an unknown dtype or rank");
    }
    ValueSpec value{
        static_cast<DType>(row[0]), row[1] != 0, row[3] != 0, static_cast<std::int32_t>(row[4]), row[2], {}, 0};
    for (int d = 0; d < value.rank; ++d) value.dims[d] = row[5 + d];
    values_.push_back(value);
    check_value(values_.size() - 1);
  }
}

void Program::check_value(std::size_t id) {
  ValueSpec& value = values_[id];
  const std::string where = "value " + std::to_string(id);
  const std::int64_t alignment = value.sparse ? static_cast<std::int64_t>(alignof(CsrRows)) : item_bytes(value.dtype);
  std::int64_t bytes = item_bytes(value.dtype);
  __int128 extent = bytes;  // bytes, with dimensions of size zero counted as one
  for (int d = 0; d < value.rank; ++d) {
    const std::int64_t dim = value.dims[d];
    if (dim > kMaxSize || dim < -kMaxSize) fail(where + " has a dimension larger than 2**40");
    if (dim < 0 && !value.workspace) fail(where + " is persistent, so its shape must not depend on the batch's rows");
    // In 128 bits three factors of at most 2^40 cannot overflow, and the product is bounded again at once.
    const __int128 product = static_cast<__int128>(bytes) * (dim >= 0 ? dim : -dim * static_cast<__int128>(capacity_));
    if (product > kMaxSize) fail(where + " is too large");
    bytes = static_cast<std::int64_t>(product);
    if (dim != 0) extent *= dim >= 0 ? dim : -dim * static_cast<__int128>(capacity_);
    if (extent > kMaxSize) fail(where + " is too large");
  }
  if (value.sparse) bytes = sizeof(CsrRows);
  value.bytes = bytes;
  const std::int64_t limit = value.workspace ? workspace_bytes_ : persistent_bytes_;
  // Kernels may walk the rows of an empty value: their number needs a bound too, or a run could not be interrupted.
  if (bytes == 0 && extent > std::max(limit, kMaxEmpty)) fail(where + " is empty and has a huge dimension");
  if (value.offset < 0 || value.offset % alignment != 0) {
    fail(where + " has a negative or unaligned offset in the arena");
  }
  if (value.offset > limit - bytes) fail(where + " lies outside the arena");
}

void Program::read_code(std::span<const std::int64_t> code) {
  const auto& kernels = kernel_set().kernels;
  const auto n_values_known = n_values();
  std::size_t at = 0;
  while (at < code.size()) {
    const std::string where = "instruction " + std::to_string(instructions_.size());
    if (code.size() - at < 4) fail(where + " is truncated");
    const std::int64_t opcode = code[at], n_inputs = code[at + 1], n_attrs = code[at + 2], output = code[at + 3];
    at += 4;
    if (opcode < 0 || opcode >= static_cast<std::int64_t>(kernels.size())) fail(where + " has an unknown opcode");
    const auto left = static_cast<std::int64_t>(code.size() - at);
    if (n_inputs < 0 || n_attrs < 0 || n_inputs > left || n_attrs > left - n_inputs) fail(where + " is truncated");
    if (output < -1 || output >= n_values_known) fail(where + " has an unknown output");
    const Kernel& kernel = kernels[static_cast<std::size_t>(opcode)];
    if (kernel.n_inputs == kVariadic ? n_inputs < 1 : n_inputs != kernel.n_inputs) {
      fail(where + " (" + kernel.name + ") has the wrong number of inputs");
    }
    if (kernel.n_attrs != kVariadic && n_attrs != kernel.n_attrs) {
      fail(where + " (" + kernel.name + ") has the wrong number of attributes");
    }
    InstructionSpec instruction{
        &kernel, {}, static_cast<std::int32_t>(output), {}, std::numeric_limits<std::int64_t>::max()};
    for (std::int64_t i = 0; i < n_inputs; ++i, ++at) {
      if (code[at] < 0 || code[at] >= n_values_known) fail(where + " (" + kernel.name + ") reads an unknown value");
      instruction.inputs.push_back(static_cast<std::int32_t>(code[at]));
    }
    instruction.attrs.assign(code.begin() + static_cast<std::ptrdiff_t>(at),
                             code.begin() + static_cast<std::ptrdiff_t>(at) + n_attrs);
    at += static_cast<std::size_t>(n_attrs);
    instructions_.push_back(std::move(instruction));
  }
}

void Program::check_roles() const {
  const auto known = [this](std::int32_t id) { return id >= 0 && id < n_values(); };
  const auto scalar = [&](std::int32_t id, const char* what) {
    if (id == -1) return;
    if (!known(id) || value(id).rank != 0 || value(id).dtype != dtype_ || value(id).sparse) {
      fail(std::string(what) + " must be a scalar of the program's dtype");
    }
  };
  const auto filled = [&](std::int32_t id, const char* what) {
    scalar(id, what);
    if (id != -1 && !value(id).workspace) fail(std::string(what) + " must be in the workspace");
  };
  for (const std::int32_t id : roles_.slots) {
    filled(id, "a slot");
    if (id == -1) fail("a slot must be a value of the program");
  }
  filled(roles_.inverse_weight, "the inverse weight");
  scalar(roles_.loss, "the loss");
  for (const std::int32_t id : roles_.outputs) {
    if (!known(id) || value(id).sparse) fail("an output must be a dense value of the program");
  }
  check_inputs();
  if (roles_.key != -1 &&
      (!known(roles_.key) || value(roles_.key).dtype != DType::int32 || !value(roles_.key).workspace ||
       value(roles_.key).rank != 1 || value(roles_.key).dims[0] != 4)) {
    fail("the random key must be int32[4] in the workspace");
  }
}

void Program::check_inputs() const {
  for (const std::int32_t id : roles_.inputs) {
    if (id < 0 || id >= n_values() || !value(id).workspace || value(id).rank < 1 || value(id).rank > 2 ||
        value(id).dims[0] != -1) {
      fail("an input must be a value of shape [m] or [m, n] in the workspace");
    }
    if (value(id).rank == 2 && value(id).dims[1] < 0) fail("the rows of an input must have a fixed width");
  }
  if (roles_.weights == -1) return;
  if (roles_.weights < 0 || roles_.weights >= static_cast<std::int64_t>(roles_.inputs.size())) {
    fail("the weights must be one of the inputs");
  }
  const ValueSpec& weights = value(roles_.inputs[static_cast<std::size_t>(roles_.weights)]);
  if (weights.sparse || weights.dtype == DType::int32 || weights.rank != 1) {
    fail("the weights of the rows must be a dense float input of shape [m]");
  }
}

Operand Program::operand(std::int32_t id, std::byte* persistent, std::byte* workspace, std::int64_t n_rows) const {
  const ValueSpec& spec = value(id);
  Operand operand;
  operand.data = (spec.workspace ? workspace : persistent) + spec.offset;
  operand.dtype = spec.dtype;
  operand.sparse = spec.sparse;
  operand.rank = spec.rank;
  for (int d = 0; d < spec.rank; ++d) operand.dims[d] = spec.dim(d, n_rows);
  return operand;
}

Bound Program::bind(std::byte* persistent, std::byte* workspace, void* scratch, std::int64_t n_rows) const {
  Bound bound;
  bound.n_rows = n_rows;
  std::size_t n_operands = 0;
  for (const InstructionSpec& instruction : instructions_) n_operands += instruction.inputs.size();
  bound.operands.reserve(n_operands);  // calls point into it, so it must not reallocate
  bound.calls.reserve(instructions_.size());
  for (const InstructionSpec& instruction : instructions_) {
    Call call;
    call.inputs = bound.operands.data() + bound.operands.size();
    call.n_inputs = static_cast<std::int32_t>(instruction.inputs.size());
    for (const std::int32_t id : instruction.inputs)
      bound.operands.push_back(operand(id, persistent, workspace, n_rows));
    if (instruction.output >= 0) {
      call.output = operand(instruction.output, persistent, workspace, n_rows);
    } else {
      call.output.rank = -1;
    }
    call.attrs = instruction.attrs.data();
    call.n_attrs = static_cast<std::int32_t>(instruction.attrs.size());
    call.scratch = scratch;
    bound.calls.push_back(call);
    bound.kernels.push_back(instruction.kernel);
    bound.functions.push_back(dtype_ == DType::float32 ? instruction.kernel->float32 : instruction.kernel->float64);
  }
  return bound;
}

void Program::check_instructions(std::int64_t n_rows) {
  alignas(8) static std::byte nowhere[8];  // the checks do not look at pointers
  const Bound bound = bind(nowhere, nowhere, nullptr, n_rows);
  for (std::size_t i = 0; i < bound.calls.size(); ++i) {
    const Call& call = bound.calls[i];
    const char* name = instructions_[i].kernel->name;
    for (int k = 0; k < call.n_inputs; ++k) {
      if (call.inputs[k].dtype != dtype_ && call.inputs[k].dtype != DType::int32) {
        fail("instruction " + std::to_string(i) + " (" + name + ") mixes float32 and float64");
      }
    }
    if (call.output.rank >= 0 && call.output.dtype != dtype_) {  // which a kernel without inputs cannot check
      fail("instruction " + std::to_string(i) + " (" + name + ") must return the program's float type");
    }
    if (const char* error = instructions_[i].kernel->check(call)) {
      fail("instruction " + std::to_string(i) + " (" + name + "): " + error);
    }
    if (instructions_[i].kernel->index_bound != nullptr) {
      instructions_[i].index_bound = std::min(instructions_[i].index_bound, instructions_[i].kernel->index_bound(call));
    }
  }
}

// Indices and sparse rows decide where kernels read and write. They must be inputs or persistent indices, both of which
// each run checks first, and nothing may overwrite them before their last reader is done.
void Program::check_addresses() {
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    const InstructionSpec& instruction = instructions_[i];
    for (std::size_t k = 0; k < instruction.inputs.size(); ++k) {
      const std::int32_t id = instruction.inputs[k];
      const bool is_index = instruction.kernel->index_bound != nullptr &&
                            k == static_cast<std::size_t>(instruction.kernel->index_operand);
      if (!is_index && !value(id).sparse) continue;
      const std::string what = "instruction " + std::to_string(i) + " (" + instruction.kernel->name + "): operand " +
                               std::to_string(k) + ", which holds indices,";
      const std::int32_t input = input_at(id);
      if (input < 0 && (value(id).workspace || value(id).sparse)) fail(what + " must be an input");
      if (is_overwritten(id, input, value(id).workspace ? i + 1 : instructions_.size())) fail(what + " is overwritten");
      if (is_index) index_operands_.push_back({input < 0 ? id : input, instruction.index_bound});
    }
  }
}

// The input that shares its memory with the value, possibly in another shape; -1: none.
std::int32_t Program::input_at(std::int32_t id) const {
  const ValueSpec& own = value(id);
  for (const std::int32_t input : roles_.inputs) {
    if (input == id) return input;
    const ValueSpec& other = value(input);
    if (own.sparse || other.sparse || !own.workspace || own.offset != other.offset || own.dtype != other.dtype)
      continue;
    if (own.size(0) == other.size(0) && own.size(1) == other.size(1) && own.bytes == other.bytes) return input;
  }
  return -1;
}

// Whether `id` is overwritten by one of the first n_instructions, or when the executor fills values other than `input`.
bool Program::is_overwritten(std::int32_t id, std::int32_t input, std::size_t n_instructions) const {
  const auto hits = [&](std::int32_t other) { return other >= 0 && overlap(value(id), value(other)); };
  for (const std::int32_t other : roles_.inputs) {
    if (other != input && hits(other)) return true;
  }
  for (const std::int32_t slot : roles_.slots) {
    if (hits(slot)) return true;
  }
  if (hits(roles_.key) || hits(roles_.inverse_weight)) return true;
  for (std::size_t i = 0; i < n_instructions; ++i) {
    if (hits(instructions_[i].output)) return true;
    for (std::int32_t k = 0; k < instructions_[i].kernel->n_writes; ++k) {
      if (hits(instructions_[i].inputs[static_cast<std::size_t>(k)])) return true;
    }
  }
  return false;
}

std::int64_t Program::row_bytes(std::int32_t output) const {
  const ValueSpec& spec = value(output);
  const std::string name = "output value " + std::to_string(output);
  if (spec.rank < 1 || spec.dims[0] != -1) fail(name + " must have the batch's rows as its first axis");
  for (int d = 1; d < spec.rank; ++d) {
    if (spec.dims[d] < 0) fail(name + " must have rows of a fixed size");
  }
  return spec.size(1) * item_bytes(spec.dtype);
}

}  // namespace rosenblatt
