// Distributes the calls of a program over several threads.
//
// Takes a bound program, the cost of each of its calls, and a number of threads. Returns for each thread the calls, or
// parts of calls, that it makes, and the barriers between them. A call is made after everything that it reads has been
// written, and after everything that it overwrites has been read: order ensures this within a thread, barriers between
// threads. Dependencies follow from the addresses alone, so the planner's reuse of memory needs no special case.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "program.h"
#include "threads.h"

namespace rosenblatt {

class Schedule {
 public:
  // `costs`: nanoseconds of each call. `inputs`: filled row by row by all threads before the first call. `scratch`: one
  // buffer for each thread.
  Schedule(const Bound& bound, std::span<const double> costs, std::span<const Operand> inputs,
           std::span<void* const> scratch);

  // The calls that precede the parallel part, made on the calling thread.
  void run_prologue() const;
  void run(int part, Team& team) const;

  int n_parts() const { return n_parts_; }
  double nanoseconds() const { return nanoseconds_; }  // the predicted time of a run

 private:
  class Builder;
  struct Item {
    KernelFunction function;  // nullptr: a barrier
    Call call;
  };
  int n_parts_;
  std::vector<Item> prologue_;
  std::vector<std::vector<Item>> items_;  // of each thread
  std::vector<std::unique_ptr<Operand[]>> operands_;
  double nanoseconds_ = 0;
};

}  // namespace rosenblatt
