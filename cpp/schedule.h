// How several threads run a program together.
//
// Goes in: a bound program, what each of its calls costs, and a number of threads. Comes out: for each thread the calls
// or parts of calls that it makes, and where all of them meet. A call is made after everything that it reads is written
// and before anything that it overwrites is needed no more: within one thread by order, between threads by a meeting.
// Where two threads may work on the same bytes is decided by the addresses themselves, so the planner's reuse of memory
// needs no word of its own.
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
  // `costs`: nanoseconds of each call; `inputs`: what the threads fill by rows before the first call; `scratch`: one
  // for each thread.
  Schedule(const Bound& bound, std::span<const double> costs, std::span<const Operand> inputs,
           std::span<void* const> scratch);

  // Calls that come before the threads' work, in the caller's thread.
  void run_prologue() const;
  void run(int part, Team& team) const;

  int n_parts() const { return n_parts_; }
  double nanoseconds() const { return nanoseconds_; }  // that a run should take

 private:
  class Builder;
  struct Item {
    KernelFunction function;  // nullptr: a meeting
    Call call;
  };
  int n_parts_;
  std::vector<Item> prologue_;
  std::vector<std::vector<Item>> items_;  // of each thread
  std::vector<std::unique_ptr<Operand[]>> operands_;
  double nanoseconds_ = 0;
};

}  // namespace rosenblatt
