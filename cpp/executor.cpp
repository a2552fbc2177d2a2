#include "executor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include "fail.h"
#include "shuffle.h"

namespace rosenblatt {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 62;  // of steps or epochs: counting on cannot overflow
constexpr auto kInterruptPeriod = std::chrono::milliseconds(50);

double read_scalar(const Operand& from) {
  return from.dtype == DType::float32 ? static_cast<double>(*static_cast<const float*>(from.data))
                                      : *static_cast<const double*>(from.data);
}

void check_rows(const std::int64_t* rows, std::int64_t n_rows, std::int64_t available) {
  for (std::int64_t i = 0; i < n_rows; ++i) {
    if (rows[i] < 0 || rows[i] >= available) {
      fail("the order holds row " + std::to_string(rows[i]) + "; allowed: 0 to " + std::to_string(available - 1));
    }
  }
}

}  // namespace

// Asks at most once per kInterruptPeriod. If blocks are short, the clock is read only every few blocks.
class InterruptPoll {
 public:
  explicit InterruptPoll(const Session::Interrupted& ask) : ask_(ask) {}
  bool operator()() {
    if (--countdown_ > 0) return false;
    const auto now = Clock::now();
    const auto since_look = now - looked_;
    looked_ = now;
    if (since_look < std::chrono::milliseconds(2)) {
      if (period_ < 4096) period_ *= 2;
    } else if (period_ > 1) {
      period_ = since_look > std::chrono::milliseconds(8) ? 1 : period_ / 2;
    }
    countdown_ = period_;
    if (now - asked_ < kInterruptPeriod) return false;
    asked_ = now;
    return ask_ && ask_();
  }

 private:
  const Session::Interrupted& ask_;
  int countdown_ = 1, period_ = 1;
  Clock::time_point looked_ = Clock::now(), asked_ = looked_;
};

// What a run checks between its blocks, and its claim to the team of threads.
struct Session::Control {
  InterruptPoll poll;
  TeamLock team_lock;
  std::optional<Clock::time_point> deadline = std::nullopt;
};

Session::Session(std::shared_ptr<const Program> block, std::shared_ptr<const Program> update, std::int64_t zero_offset,
                 std::int64_t zero_bytes)
    : block_(std::move(block)),
      zero_offset_(zero_offset),
      zero_bytes_(zero_bytes),
      identity_(static_cast<std::size_t>(block_.program().capacity())) {
  const Program& first = block_.program();
  if (zero_offset < 0 || zero_bytes < 0 || zero_offset > first.persistent_bytes() - zero_bytes) {
    fail("the bytes to clear lie outside the persistent memory");
  }
  std::iota(identity_.begin(), identity_.end(), std::int64_t{0});
  if (!update) return;
  if (update->dtype() != first.dtype() || !update->roles().inputs.empty() ||
      update->roles().slots.size() != first.roles().slots.size()) {
    fail("the update must have the block's dtype and slots, and no inputs");
  }
  if (!update->index_operands().empty()) fail("the update must not read by indices");
  update_.emplace(std::move(update));
}

void Session::check_memory(std::span<std::byte> persistent) const {
  const Program& program = block_.program();
  if (static_cast<std::int64_t>(persistent.size()) < program.persistent_bytes() ||
      (update_ && static_cast<std::int64_t>(persistent.size()) < update_->program().persistent_bytes())) {
    fail("the persistent memory has " + std::to_string(persistent.size()) + " bytes, fewer than the program needs");
  }
  if (reinterpret_cast<std::uintptr_t>(persistent.data()) % 8 != 0) {
    fail("the persistent memory must be aligned to 8 bytes");
  }
}

void Session::check_run(std::span<std::byte> persistent, std::span<const Source> sources, std::int64_t n_rows) const {
  const Program& program = block_.program();
  if (n_rows < 0 || n_rows > kMaxSize) fail("the number of rows is negative or larger than 2**40");
  check_memory(persistent);
  if (sources.size() != program.roles().inputs.size()) {
    fail("the program has " + std::to_string(program.roles().inputs.size()) + " inputs; " +
         std::to_string(sources.size()) + " sources were given");
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const ValueSpec& value = program.value(program.roles().inputs[i]);
    const Source& source = sources[i];
    const std::int64_t width = value.rank == 2 ? value.dims[1] : 1;
    const std::string where = "input " + std::to_string(i);
    if (source.sparse != value.sparse) {
      fail(where + " must be " + (value.sparse ? "sparse" : "dense") + ", as in the program");
    }
    if (source.width != width) {
      fail(where + " has " + std::to_string(source.width) + " columns; the program takes " + std::to_string(width));
    }
    if (source.n_rows < n_rows) {
      fail(where + " has " + std::to_string(source.n_rows) + " rows, fewer than the " + std::to_string(n_rows) +
           " to run");
    }
    if ((value.dtype == DType::int32) != (source.type == SourceType::int32)) {
      fail(where + " must hold " + (value.dtype == DType::int32 ? "integers" : "floats") + ", as in the program");
    }
    const bool same = (value.dtype == DType::float32) == (source.type == SourceType::float32);
    if (source.sparse && !same) fail(where + ": a sparse matrix must have the program's dtype");
  }
  check_indices(persistent, sources);
}

void Session::check_indices(std::span<std::byte> persistent, std::span<const Source> sources) const {
  const std::vector<std::int32_t>& inputs = block_.program().roles().inputs;
  for (const auto& [id, bound] : block_.program().index_operands()) {
    std::int64_t smallest = 0, largest = -1;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == id) largest = std::max<std::int64_t>(largest, sources[i].largest);
    }
    if (const ValueSpec& value = block_.program().value(id); !value.workspace) {
      const auto* indices = reinterpret_cast<const std::int32_t*>(persistent.data() + value.offset);
      for (std::int64_t i = 0; i < value.size(0); ++i) {
        smallest = std::min<std::int64_t>(smallest, indices[i]);
        largest = std::max<std::int64_t>(largest, indices[i]);
      }
    }
    if (smallest < 0 || largest >= bound) {
      fail("value " + std::to_string(id) + " holds the index " + std::to_string(smallest < 0 ? smallest : largest) +
           "; allowed: 0 to " + std::to_string(bound - 1));
    }
  }
}

// Indices in persistent memory are checked once. The caller could change them in a run of several blocks.
void Session::check_lasting() const {
  for (const IndexOperand& indices : block_.program().index_operands()) {
    if (!block_.program().value(indices.value).workspace) {
      fail("a program that reads by indices in persistent memory can only be evaluated");
    }
  }
}

// 1 / (sum of the weights of the rows, or their number without weights); 0 if all weights are 0.
double Session::inverse_weight(std::span<const Source> sources, const Batch& batch) const {
  const std::int32_t weights = block_.program().roles().weights;
  double sum = weights < 0 ? static_cast<double>(batch.n_rows) : 0;
  for (std::int64_t i = 0; weights >= 0 && i < batch.n_rows; ++i) {
    sum += element(sources[static_cast<std::size_t>(weights)], batch.rows[i]);
  }
  return sum > 0 ? 1 / sum : 0;
}

// Clears the sums, then runs the rows of `batch` in blocks, counted from its first row. Returns false if it was
// interrupted between two of them.
bool Session::add_up(std::span<std::byte> persistent, std::span<const Source> sources, Batch batch, Control& control) {
  const std::int64_t n_rows = batch.n_rows, first_row = batch.first_row, capacity = block_.program().capacity();
  const std::int64_t* rows = batch.rows;
  if (zero_bytes_ > 0) std::memset(persistent.data() + zero_offset_, 0, static_cast<std::size_t>(zero_bytes_));
  for (std::int64_t first = 0; first < n_rows; first += capacity) {
    batch.rows = rows + first;
    batch.first_row = first_row + first;
    batch.n_rows = std::min(capacity, n_rows - first);
    block_.run(persistent.data(), sources, batch, control.team_lock, scratch_);
    if (update_ && control.poll()) return false;
  }
  return true;
}

// Runs the update, if there is one. Returns the loss of the step.
double Session::make_step(std::span<std::byte> persistent, Batch batch, Control& control) {
  if (update_) {
    batch.n_rows = 1;
    update_->run(persistent.data(), {}, batch, control.team_lock, scratch_);
  }
  const Runner& last = update_ ? *update_ : block_;
  const std::int32_t loss = last.program().roles().loss;
  return loss < 0 ? 0 : read_scalar(last.operand(loss, persistent.data(), 1));
}

// Runs one step on the rows of `batch`. Returns its loss, or nothing if it was interrupted before its update.
std::optional<double> Session::step(std::span<std::byte> persistent, std::span<const Source> sources, Batch batch,
                                    Control& control) {
  batch.inverse_weight = inverse_weight(sources, batch);
  if (!add_up(persistent, sources, batch, control)) return std::nullopt;
  return make_step(persistent, batch, control);
}

void Session::gradient(std::span<std::byte> persistent, std::span<const Source> sources, const Batch& batch,
                       std::int64_t n_slots) {
  const std::int64_t available = check_sources(persistent, sources);
  if (!update_) fail("a session without an update has no gradient that others could add to");
  if (n_slots != static_cast<std::int64_t>(block_.program().roles().slots.size())) {
    fail("there must be one value for each slot");
  }
  if (batch.first_row < 0 || batch.first_row > kMaxSize) fail("first_row is negative or larger than 2**40");
  check_rows(batch.rows, batch.n_rows, available);
  const Interrupted never;
  Control control{InterruptPoll(never), {}};
  add_up(persistent, sources, batch, control);
}

double Session::update(std::span<std::byte> persistent, const Batch& batch, std::int64_t n_slots) {
  check_memory(persistent);
  if (!update_) fail("a session without an update cannot make a step by itself");
  if (n_slots != static_cast<std::int64_t>(block_.program().roles().slots.size())) {
    fail("there must be one value for each slot");
  }
  const Interrupted never;
  Control control{InterruptPoll(never), {}};
  return make_step(persistent, batch, control);
}

// Checks what training reads. Returns the number of rows that all sources have.
std::int64_t Session::check_sources(std::span<std::byte> persistent, std::span<const Source> sources) const {
  if (sources.empty()) fail("training needs at least one source");
  std::int64_t available = sources[0].n_rows;
  for (const Source& source : sources) available = std::min(available, source.n_rows);
  check_run(persistent, sources, available);
  check_lasting();
  return available;
}

void Session::check_training(std::span<std::byte> persistent, std::span<const Source> sources,
                             const TrainOptions& options) const {
  const std::int64_t n_rows = options.order_rows, available = check_sources(persistent, sources);
  if (n_rows < 1 || options.batch_size < 1 || options.n_epochs < 1) {
    fail("the numbers of rows, of epochs and of rows in a batch must be at least 1");
  }
  if (options.step_rows() < options.min_rows) fail("a batch must have at least min_rows rows");
  if (n_rows > kMaxSize || options.n_epochs > kMaxSize) fail("the number of rows or epochs is larger than 2**40");
  if (!update_ && options.step_rows() > block_.program().capacity()) {
    fail("a batch of " + std::to_string(options.step_rows()) + " rows does not fit into the program's block of " +
         std::to_string(block_.program().capacity()) + " rows");
  }
  if (options.order == nullptr && n_rows > available) {
    fail("an epoch of " + std::to_string(n_rows) + " rows was requested; the sources have " +
         std::to_string(available));
  }
  if (options.order != nullptr) check_rows(options.order, n_rows * options.n_epochs, available);
  const auto n_slots = static_cast<std::int64_t>(block_.program().roles().slots.size());
  const auto n_given = static_cast<std::int64_t>(options.slots.size());
  const std::int64_t used = options.used_rows();
  const std::int64_t steps_an_epoch = (used + options.step_rows() - 1) / options.step_rows();
  const std::int64_t done = options.position.row;
  if (done < 0 || done >= used || done % options.step_rows() != 0) {
    fail("an epoch can only be resumed where a step begins, and before its end");
  }
  if (options.first_step < 0 || options.first_step > kMaxCount || options.first_epoch < 0 ||
      options.first_epoch > kMaxCount) {
    fail("first_step and first_epoch must be 0 to 2**62");
  }
  if (options.max_steps < 0 || !(options.max_seconds >= 0)) fail("max_steps and max_seconds must be at least 0");
  const __int128 n_steps = static_cast<__int128>(steps_an_epoch) * options.n_epochs - done / options.step_rows();
  const __int128 n_varying = n_slots * n_steps;
  if (n_given != n_slots && n_given != n_varying) fail("slots must hold one value per slot, or one per slot and step");
}

// Runs an epoch in the given order, from the position in `result`, and adds its loss and steps to `result`.
Status Session::epoch(std::span<std::byte> persistent, std::span<const Source> sources, const TrainOptions& options,
                      const std::int64_t* order, Control& control, TrainResult& result) {
  const std::int64_t n_rows = options.used_rows();
  const auto n_slots = static_cast<std::int64_t>(block_.program().roles().slots.size());
  const bool slots_vary = static_cast<std::int64_t>(options.slots.size()) != n_slots;
  Status status = Status::finished;
  Position& at = result.position;
  while (at.row < n_rows && status == Status::finished) {
    const double* slots = options.slots.data() + (slots_vary ? result.n_steps * n_slots : 0);
    const Batch batch{order + at.row,
                      std::min(options.step_rows(), n_rows - at.row),
                      0,
                      0,
                      slots,
                      options.seed,
                      options.first_step + result.n_steps};
    const std::optional<double> loss = step(persistent, sources, batch, control);
    if (!loss) return Status::interrupted;
    at.sum += *loss * static_cast<double>(batch.n_rows);
    at.row += batch.n_rows;
    ++result.n_steps;
    if (!std::isfinite(*loss)) {
      status = Status::non_finite;
    } else if (control.poll()) {
      status = Status::interrupted;
    } else if (result.n_steps == options.max_steps || (control.deadline && Clock::now() >= *control.deadline)) {
      status = Status::paused;
    }
  }
  if (at.row < n_rows && status != Status::non_finite) return status;
  result.losses.push_back(at.sum / static_cast<double>(at.row));
  // A sum of finite losses can overflow. An interrupt has set a Python exception, which nothing may replace.
  if (status != Status::interrupted && !std::isfinite(at.sum)) status = Status::non_finite;
  at = {};
  return status;
}

TrainResult Session::train(std::span<std::byte> persistent, std::span<const Source> sources,
                           const TrainOptions& options, const Interrupted& interrupted) {
  check_training(persistent, sources, options);
  std::vector<std::int64_t> own_order(options.order ? 0 : static_cast<std::size_t>(options.order_rows));
  std::iota(own_order.begin(), own_order.end(), std::int64_t{0});
  TrainResult result;
  result.position = options.position;
  result.losses.reserve(static_cast<std::size_t>(std::min<std::int64_t>(options.n_epochs, 4096)));
  Control control{InterruptPoll(interrupted), {}};
  if (options.max_seconds > 0) {
    constexpr double kMaxSeconds = 1e8;  // a longer time could overflow the clock
    control.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(std::min(options.max_seconds, kMaxSeconds)));
  }
  for (std::int64_t i = 0; i < options.n_epochs && result.status == Status::finished; ++i) {
    if (options.order == nullptr && options.shuffle) {
      const auto number = static_cast<std::uint32_t>(options.first_epoch + i);
      shuffle_rows(own_order.data(), options.order_rows, options.seed, number);
    }
    const std::int64_t* order = options.order ? options.order + i * options.order_rows : own_order.data();
    result.status = epoch(persistent, sources, options, order, control, result);
  }
  return result;
}

bool Session::forward(std::span<std::byte> persistent, std::span<const Source> sources, std::int64_t n_rows,
                      std::span<const double> slots, std::span<const std::span<std::byte>> outputs,
                      const Interrupted& interrupted) {
  const Program& program = block_.program();
  const Roles& roles = program.roles();
  check_run(persistent, sources, n_rows);
  check_lasting();
  if (outputs.size() != roles.outputs.size() || slots.size() != roles.slots.size()) {
    fail("there must be one array for each output, and one value for each slot");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const __int128 bytes = static_cast<__int128>(program.row_bytes(roles.outputs[i])) * n_rows;
    if (static_cast<__int128>(outputs[i].size()) != bytes) {
      fail("output array " + std::to_string(i) + " must hold exactly one row of the output for each row of the input");
    }
  }
  std::vector<Source> left(sources.begin(), sources.end());
  Control control{InterruptPoll(interrupted), {}};
  for (std::int64_t first = 0; first < n_rows; first += program.capacity()) {
    const std::int64_t n = std::min(program.capacity(), n_rows - first);
    block_.run(persistent.data(), left, {identity_.data(), n, first, 1, slots.data(), 0, 0}, control.team_lock,
               scratch_);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Operand output = block_.operand(roles.outputs[i], persistent.data(), n);
      const std::int64_t row_bytes = program.row_bytes(roles.outputs[i]);
      std::memcpy(outputs[i].data() + first * row_bytes, output.data, static_cast<std::size_t>(n * row_bytes));
    }
    for (Source& source : left) source.skip(n);
    if (control.poll()) return false;
  }
  return true;
}

std::vector<Operand> Session::evaluate(std::span<std::byte> persistent, std::span<const Source> sources,
                                       std::int64_t n_rows, std::span<const double> slots, std::uint64_t seed,
                                       std::int64_t step, std::span<const std::int32_t> values) {
  const Program& program = block_.program();
  check_run(persistent, sources, n_rows);
  if (n_rows > program.capacity()) {
    fail(std::to_string(n_rows) + " rows do not fit into the program's block of " + std::to_string(program.capacity()));
  }
  if (slots.size() != program.roles().slots.size()) fail("there must be one value for each slot");
  for (const std::int32_t value : values) {
    if (value < 0 || value >= program.n_values() || program.value(value).sparse) {
      fail("value " + std::to_string(value) + " is not a dense value of the program");
    }
  }
  Batch batch{identity_.data(), n_rows, 0, 0, slots.data(), seed, step};
  batch.inverse_weight = inverse_weight(sources, batch);
  TeamLock team_lock;
  block_.run(persistent.data(), sources, batch, team_lock, scratch_);
  std::vector<Operand> found;
  for (const std::int32_t value : values) found.push_back(block_.operand(value, persistent.data(), n_rows));
  return found;
}

}  // namespace rosenblatt
