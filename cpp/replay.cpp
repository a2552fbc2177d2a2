// Replays what tools/dump_programs.py wrote, where no Python interpreter runs: with sanitizers, and on other processors.
//
// A training run (FILE.run) must give the same bytes with 1 to 8 threads, and nearly the parameters that it gave where it
// was written. Then several sessions run at once, and some of them are cancelled. In FILE.cases are single kernels: each
// must give NumPy's results, up to the tolerance in the file.
//
// usage: replay FILE...
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "dispatch.h"
#include "executor.h"

namespace rosenblatt {
namespace {

using Bytes = std::vector<std::byte>;

// Reads 64-bit integers. An array is its length followed by its elements; other data is its size followed by its bytes.
class Reader {
 public:
  explicit Reader(const char* path) : file_(path, std::ios::binary) {
    if (!file_) throw std::runtime_error(std::string("cannot read ") + path);
  }
  std::int64_t integer() {
    std::int64_t value = 0;
    file_.read(reinterpret_cast<char*>(&value), sizeof value);
    if (!file_) throw std::runtime_error("the file is truncated");
    return value;
  }
  std::size_t length() {
    const std::int64_t value = integer();
    if (value < 0 || value > std::int64_t{1} << 32) throw std::runtime_error("the file has a wrong length");
    return static_cast<std::size_t>(value);
  }
  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> values(length());
    for (std::int64_t& value : values) value = integer();
    return values;
  }
  std::vector<std::int32_t> int32s() {
    std::vector<std::int32_t> values;
    for (const std::int64_t value : integers()) values.push_back(static_cast<std::int32_t>(value));
    return values;
  }
  template <class T>
  std::vector<T> numbers() {
    const std::size_t size = length();
    if (size % sizeof(T) != 0) throw std::runtime_error("the file has a wrong length");
    std::vector<T> data(size / sizeof(T));
    file_.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(size));
    if (!file_) throw std::runtime_error("the file is truncated");
    return data;
  }
  Bytes bytes() { return numbers<std::byte>(); }

 private:
  std::ifstream file_;
};

std::shared_ptr<const Program> read_program(Reader& in) {
  const auto dtype = static_cast<DType>(in.integer());
  const std::vector<std::int64_t> values = in.integers(), code = in.integers();
  Roles roles;
  roles.inputs = in.int32s();
  roles.slots = in.int32s();
  roles.outputs = in.int32s();
  roles.key = static_cast<std::int32_t>(in.integer());
  roles.inverse_weight = static_cast<std::int32_t>(in.integer());
  roles.weights = static_cast<std::int32_t>(in.integer());
  roles.loss = static_cast<std::int32_t>(in.integer());
  const std::int64_t capacity = in.integer(), persistent = in.integer(), workspace = in.integer();
  return std::make_shared<Program>(dtype, values, code, roles, capacity, persistent, workspace);
}

struct Run {
  std::shared_ptr<const Program> block, update;
  std::int64_t zero_offset, zero_bytes, batch_size, n_rows, n_epochs;
  Bytes persistent, x, y, slots;
  std::int64_t width, n_classes;
  std::int64_t parameters;  // where they begin in the persistent memory
  Bytes trained;            // the parameters at the end of the run, where it was written
  double tolerance;
};

Run read_run(const char* path) {
  Reader in(path);
  Run run;
  run.block = read_program(in);
  if (in.integer() != 0) run.update = read_program(in);
  run.zero_offset = in.integer();
  run.zero_bytes = in.integer();
  run.batch_size = in.integer();
  run.n_rows = in.integer();
  run.n_epochs = in.integer();
  run.width = in.integer();
  run.n_classes = in.integer();
  run.persistent = in.bytes();
  run.x = in.bytes();
  run.y = in.bytes();
  run.slots = in.bytes();
  run.parameters = in.integer();
  run.trained = in.bytes();
  run.tolerance = in.numbers<double>().at(0);
  return run;
}

std::vector<std::int32_t> labels_of(const Run& run) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(run.n_rows));
  std::memcpy(labels.data(), run.y.data(), labels.size() * sizeof(std::int32_t));
  return labels;
}

// The persistent memory after the run, or after it was cancelled.
Bytes train(const Run& run, const Session::Interrupted& interrupted) {
  const bool wide = run.block->dtype() == DType::float64;
  const std::int64_t item = wide ? 8 : 4;
  const std::vector<Source> sources{Source::dense(run.x.data(), wide ? SourceType::float64 : SourceType::float32,
                                                  run.n_rows, run.width, run.width * item, item),
                                    Source::codes(labels_of(run), run.n_classes)};
  Buffer memory(run.persistent.size());
  std::memcpy(memory.data(), run.persistent.data(), run.persistent.size());
  TrainOptions options;
  options.batch_size = run.batch_size;
  options.order_rows = run.n_rows;
  options.n_epochs = run.n_epochs;
  options.shuffle = true;
  options.slots = {reinterpret_cast<const double*>(run.slots.data()), run.slots.size() / sizeof(double)};
  Session session(run.block, run.update, run.zero_offset, run.zero_bytes);
  session.train({memory.data(), run.persistent.size()}, sources, options, interrupted);
  return Bytes(memory.data(), memory.data() + run.persistent.size());
}

// The largest difference between two arrays of floats; NaN if either holds one.
template <class T>
double largest_difference(const std::byte* a, const std::byte* b, std::size_t bytes) {
  double largest = 0;
  for (std::size_t at = 0; at < bytes; at += sizeof(T)) {
    T x, y;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    const double difference = std::abs(static_cast<double>(x) - static_cast<double>(y));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

bool near_what_was_trained(const Run& run, const Bytes& memory, const char* path) {
  const auto difference = run.block->dtype() == DType::float64 ? largest_difference<double> : largest_difference<float>;
  const double found = difference(memory.data() + run.parameters, run.trained.data(), run.trained.size());
  std::printf("%s: the parameters differ by at most %.1e from those in the file; allowed: %.1e\n", path, found,
              run.tolerance);
  return found <= run.tolerance;
}

bool same_for_all_teams(const Run& run, const char* path) {
  Team::set_size(1);
  const Bytes serial = train(run, nullptr);
  if (!near_what_was_trained(run, serial, path)) return false;
  for (const Sharing sharing : {Sharing::always, Sharing::measured}) {
    Runner::set_sharing(sharing);
    for (const int n : {2, 3, 4, 8}) {
      Team::set_size(n);
      if (train(run, nullptr) == serial) continue;
      std::fprintf(stderr, "%s: %d threads and one thread give different bytes\n", path, n);
      return false;
    }
  }
  std::printf("%s: the same bytes for 1, 2, 3, 4 and 8 threads\n", path);
  return true;
}

void train_many_at_once(const Run& run) {
  Team::set_size(3);
  Runner::set_sharing(Sharing::always);
  std::atomic<int> n_asked{0};
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] { train(run, [&n_asked, i] { return ++n_asked > 0 && i % 2 == 0; }); });
  }
  for (std::thread& thread : threads) thread.join();
}

// The data of an input of a kernel.
struct Input {
  bool sparse;
  std::int64_t width;
  Bytes values;
  std::vector<std::int32_t> columns;
  std::vector<std::int64_t> offsets;

  Source source(DType dtype, std::int64_t n_rows) const {
    const std::int64_t item = dtype == DType::float64 ? 8 : 4;
    const SourceType type = dtype == DType::float64 ? SourceType::float64 : SourceType::float32;
    if (!sparse) return Source::dense(values.data(), type, n_rows, width, width * item, item);
    return Source::csr(values.data(), type, static_cast<std::int64_t>(values.size()) / item, columns, offsets, width);
  }
};

Input read_input(Reader& in) {
  Input input;
  input.sparse = in.integer() != 0;
  input.width = in.integer();
  input.values = in.bytes();
  if (input.sparse) {
    input.columns = in.int32s();
    input.offsets = in.integers();
  }
  return input;
}

double element_of(const Operand& x, std::size_t i) {
  if (x.dtype == DType::float32) return static_cast<double>(static_cast<const float*>(x.data)[i]);
  if (x.dtype == DType::float64) return static_cast<const double*>(x.data)[i];
  return static_cast<double>(static_cast<const std::int32_t*>(x.data)[i]);
}

bool is_near(double found, double expected, double relative, double absolute) {
  if (std::isnan(expected) || std::isinf(expected))
    return found == expected || (found != found && expected != expected);
  return std::abs(found - expected) <= absolute + relative * std::abs(expected);
}

// One call of a kernel. Returns whether the results are right.
bool run_case(Reader& in) {
  const std::vector<char> label = in.numbers<char>();
  const std::shared_ptr<const Program> program = read_program(in);
  const std::int64_t n_rows = in.integer();
  const Bytes given = in.bytes();
  std::vector<Input> inputs(in.length());
  for (Input& input : inputs) input = read_input(in);
  std::vector<Source> sources;
  sources.reserve(inputs.size());
  for (const Input& input : inputs) sources.push_back(input.source(program->dtype(), n_rows));
  Buffer memory(given.size());
  std::memcpy(memory.data(), given.data(), given.size());
  Session session(program, nullptr, 0, 0);
  bool right = true;
  std::vector<std::int32_t> ids(in.length());
  std::vector<std::vector<double>> tolerances, expected;
  for (std::int32_t& id : ids) {
    id = static_cast<std::int32_t>(in.integer());
    tolerances.push_back(in.numbers<double>());
    expected.push_back(in.numbers<double>());
  }
  const std::vector<Operand> found = session.evaluate({memory.data(), given.size()}, sources, n_rows, {}, 0, 0, ids);
  for (std::size_t r = 0; r < found.size(); ++r) {
    right = right && found[r].size() == static_cast<std::int64_t>(expected[r].size());
    for (std::size_t i = 0; right && i < expected[r].size(); ++i) {
      const double x = element_of(found[r], i), y = expected[r][i];
      if (is_near(x, y, tolerances[r].at(0), tolerances[r].at(1))) continue;
      std::fprintf(stderr, "%.*s: element %zu is %.17g, NumPy has %.17g\n", static_cast<int>(label.size()),
                   label.data(), i, x, y);
      right = false;
    }
  }
  return right;
}

bool run_cases(const char* path) {
  Reader in(path);
  const std::size_t n_cases = in.length();
  std::size_t n_wrong = 0;
  Team::set_size(1);
  for (std::size_t i = 0; i < n_cases; ++i) n_wrong += run_case(in) ? 0 : 1;
  std::printf("%s: %zu of %zu calls of kernels give NumPy's results\n", path, n_cases - n_wrong, n_cases);
  return n_wrong == 0;
}

int replay(int n_files, char** files) {
  std::printf("kernels for %s\n", kernel_set().level.c_str());
  for (int i = 0; i < n_files; ++i) {
    if (std::string_view(files[i]).ends_with(".cases")) {
      if (!run_cases(files[i])) return 1;
      continue;
    }
    const Run run = read_run(files[i]);
    if (!same_for_all_teams(run, files[i])) return 1;
    train_many_at_once(run);
  }
  return 0;
}

}  // namespace
}  // namespace rosenblatt

int main(int n_arguments, char** arguments) {
  try {
    return rosenblatt::replay(n_arguments - 1, arguments + 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
