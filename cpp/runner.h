// A program with the memory to run it in, and the measurements that tell whether it runs faster on several threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "parallel_tuner.h"
#include "program.h"
#include "schedule.h"
#include "source.h"
#include "split.h"
#include "threads.h"

namespace rosenblatt {

// Zero-initialized memory, aligned to 64 bytes.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
};

// The rows of one step, or of one block of it.
struct Batch {
  const std::int64_t* rows;
  std::int64_t n_rows;
  std::int64_t first_row;  // of the block within the batch
  double inverse_weight;
  const double* slots;
  std::uint64_t seed;
  std::int64_t step;
};

// kScratchBytes for each thread.
class Scratch {
 public:
  void* of(int part);

 private:
  std::vector<Buffer> buffers_;
};

enum class Sharing { measured, always };  // `always` is for tests: run in parallel whatever can be

class Runner {
 public:
  explicit Runner(std::shared_ptr<const Program> program);

  // Fills the inputs, the slots and the random key, then runs the program.
  void run(std::byte* persistent, std::span<const Source> sources, const Batch& batch, TeamLock& team_lock,
           Scratch& scratch);
  Operand operand(std::int32_t value, std::byte* persistent, std::int64_t n_rows) const;
  const Program& program() const { return *program_; }

  static void set_sharing(Sharing sharing);

 private:
  // The program with resolved addresses for one number of rows.
  struct Binding {
    Bound bound;
    std::vector<Operand> inputs, slots;
    Operand inverse_weight, key;
    std::vector<double> costs;  // nanoseconds of each call
    ParallelTuner tuner;
    std::optional<Schedule> schedule;
    int n_threads = 0;  // for which the schedule was made
  };

  Binding& binding(std::byte* persistent, std::int64_t n_rows, Scratch& scratch);
  Binding bind(std::byte* persistent, std::int64_t n_rows, Scratch& scratch) const;
  void run_measured(Binding& binding, std::span<const Source> sources, const Batch& batch, TeamLock& team_lock,
                    Scratch& scratch);
  static void fill_scalars(const Binding& binding, std::span<const Source> sources, const Batch& batch);
  static void fill_rows(const Binding& binding, std::span<const Source> sources, const Batch& batch, Range rows);
  static void run_serial(const Binding& binding, std::span<const Source> sources, const Batch& batch);
  static void run_parallel(const Binding& binding, std::span<const Source> sources, const Batch& batch, Team& team);
  static void profile(Binding& binding);
  static void plan(Binding& binding, int n_threads, Scratch& scratch);

  std::shared_ptr<const Program> program_;
  Buffer memory_;
  std::vector<Binding> bindings_;
  const std::byte* bound_to_ = nullptr;
};

}  // namespace rosenblatt
