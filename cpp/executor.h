// Runs programs: gathers batches from the user's arrays and walks the instructions, with no Python, lock or
// allocation inside an epoch.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "program.h"
#include "runner.h"
#include "source.h"

namespace rosenblatt {

enum class Status : std::int32_t { finished = 0, non_finite = 1, interrupted = 2, paused = 3 };

// How far an incomplete epoch has got.
struct Position {
  std::int64_t row = 0;  // rows of its order that are done
  double sum = 0;        // of the losses of their batches, each times its number of rows
};

struct TrainResult {
  std::vector<double> losses;  // mean over the rows of each complete epoch, and of one ended by a non-finite loss
  Position position;           // in the last epoch, if that is incomplete
  std::int64_t n_steps = 0;
  Status status = Status::finished;
};

struct TrainOptions {
  std::int64_t batch_size = 0;
  std::int64_t n_epochs = 1;
  const std::int64_t* order = nullptr;  // n_epochs * order_rows row indices; nullptr: see `shuffle`
  std::int64_t order_rows = 0;          // rows of one epoch
  bool shuffle = false;                 // without an order: draw one per epoch from the seed and the epoch's number
  std::int64_t first_epoch = 0;
  std::span<const double> slots;  // n_slots values for every step, or n_slots values that hold for all steps
  std::uint64_t seed = 0;
  std::int64_t first_step = 0;
  Position position;           // in the first epoch, where an earlier call left it
  std::int64_t max_steps = 0;  // pause after this many steps; 0: never
  double max_seconds = 0;      // pause at the end of the step in which this time is up; 0: never
  std::int64_t min_rows = 1;   // of a step; fewer rows that are left at the end of an epoch are not used

  std::int64_t step_rows() const { return batch_size < order_rows ? batch_size : order_rows; }
  std::int64_t used_rows() const {
    const std::int64_t left = order_rows % step_rows();
    return left < min_rows ? order_rows - left : order_rows;
  }
};

// One program (or two) with the memory to run it in. Only one thread may use a session at a time; programs may be
// shared.
class Session {
 public:
  // `update` runs once after all blocks of a batch; without it a batch must fit into one block. The bytes
  // [zero_offset, zero_offset + zero_bytes) of the persistent memory are cleared before the first block. An interrupt
  // between two blocks abandons the batch; nothing but these bytes has changed then.
  Session(std::shared_ptr<const Program> block, std::shared_ptr<const Program> update, std::int64_t zero_offset,
          std::int64_t zero_bytes);

  using Interrupted = std::function<bool()>;  // called about twenty times a second

  TrainResult train(std::span<std::byte> persistent, std::span<const Source> sources, const TrainOptions& options,
                    const Interrupted& interrupted);
  // The two halves of a step whose gradient others add to in between. `gradient` leaves the sum over these rows in the
  // bytes to clear; in `batch`, `first_row` is that of the rows within the whole batch, and `inverse_weight` is of that.
  // `update` makes the step and returns its loss.
  void gradient(std::span<std::byte> persistent, std::span<const Source> sources, const Batch& batch,
                std::int64_t n_slots);
  double update(std::span<std::byte> persistent, const Batch& batch, std::int64_t n_slots);
  // Runs over all rows in blocks and writes the rows of each output to its array. Returns false if it was interrupted.
  bool forward(std::span<std::byte> persistent, std::span<const Source> sources, std::int64_t n_rows,
               std::span<const double> slots, std::span<const std::span<std::byte>> outputs,
               const Interrupted& interrupted);
  // Runs one block of the first n_rows rows. Returns the requested values; their memory is valid until the next run.
  std::vector<Operand> evaluate(std::span<std::byte> persistent, std::span<const Source> sources, std::int64_t n_rows,
                                std::span<const double> slots, std::uint64_t seed, std::int64_t step,
                                std::span<const std::int32_t> values);

  const Program& program() const { return block_.program(); }

 private:
  struct Control;

  void check_memory(std::span<std::byte> persistent) const;
  void check_run(std::span<std::byte> persistent, std::span<const Source> sources, std::int64_t n_rows) const;
  void check_indices(std::span<std::byte> persistent, std::span<const Source> sources) const;
  void check_lasting() const;
  void check_training(std::span<std::byte> persistent, std::span<const Source> sources,
                      const TrainOptions& options) const;
  std::int64_t check_sources(std::span<std::byte> persistent, std::span<const Source> sources) const;
  bool add_up(std::span<std::byte> persistent, std::span<const Source> sources, Batch batch, Control& control);
  double make_step(std::span<std::byte> persistent, Batch batch, Control& control);
  Status epoch(std::span<std::byte> persistent, std::span<const Source> sources, const TrainOptions& options,
               const std::int64_t* order, Control& control, TrainResult& result);
  std::optional<double> step(std::span<std::byte> persistent, std::span<const Source> sources, Batch batch,
                             Control& control);
  double inverse_weight(std::span<const Source> sources, const Batch& batch) const;

  Runner block_;
  std::optional<Runner> update_;
  std::int64_t zero_offset_, zero_bytes_;
  Scratch scratch_;
  std::vector<std::int64_t> identity_;
};

}  // namespace rosenblatt
