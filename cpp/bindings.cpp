// The Python bindings: they convert arguments and exceptions and compute nothing.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "dispatch.h"
#include "executor.h"
#include "shuffle.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace rosenblatt {
namespace {

using Integers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers2 = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Codes = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<nb::ro, nb::device::cpu>;
using Writable = nb::ndarray<nb::c_contig, nb::device::cpu>;

SourceType float_type(const nb::dlpack::dtype& dtype) {
  if (dtype == nb::dtype<float>()) return SourceType::float32;
  if (dtype == nb::dtype<double>()) return SourceType::float64;
  throw nb::type_error("data must be float32 or float64");
}

nb::dlpack::dtype dtype_of(DType dtype) {
  if (dtype == DType::int32) return nb::dtype<std::int32_t>();
  return dtype == DType::float32 ? nb::dtype<float>() : nb::dtype<double>();
}

// Copies an array that the user could change or that need not be aligned.
template <class T, class Array>
std::vector<T> copy_of(const Array& array) {
  std::vector<T> copy(array.size());
  if (!copy.empty()) std::memcpy(copy.data(), array.data(), copy.size() * sizeof(T));
  return copy;
}

// The elements of a list. nanobind would convert it in a function that must not throw, so that the process would end if
// there were no memory for the vector.
template <class T>
std::vector<T> elements_of(const nb::list& list, const char* what) {
  std::vector<T> elements;
  elements.reserve(list.size());
  for (const nb::handle element : list) {
    T converted;
    if (!nb::try_cast(element, converted, false)) throw nb::type_error(what);
    elements.push_back(std::move(converted));
  }
  return elements;
}

// Lets other Python threads run. If the interpreter is finalized meanwhile, it ends a daemon thread that asks for the
// GIL by unwinding its stack. That would end the process, because the callers of this code must not throw. Such a
// thread waits here instead until the process has exited.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }
  GilRelease(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

// A program, and the sessions that run it, share it.
struct PyProgram {
  std::shared_ptr<const Program> program;
};

// A source and the objects that own its memory.
struct PySource {
  Source source;
  std::vector<nb::object> owners;
};

PySource dense_source(Floats array) {
  const SourceType type = float_type(array.dtype());
  if (array.ndim() != 1 && array.ndim() != 2) throw nb::value_error("data must have one or two axes");
  const auto item = static_cast<std::int64_t>(type == SourceType::float64 ? 8 : 4);
  const auto n_rows = static_cast<std::int64_t>(array.shape(0));
  const std::int64_t width = array.ndim() == 2 ? static_cast<std::int64_t>(array.shape(1)) : 1;
  const std::int64_t column_stride = array.ndim() == 2 ? array.stride(1) * item : item;
  return {Source::dense(array.data(), type, n_rows, width, array.stride(0) * item, column_stride), {nb::cast(array)}};
}

PySource codes_source(Codes array, std::int64_t limit) {
  return {Source::codes(copy_of<std::int32_t>(array), limit), {}};
}

PySource csr_source(Floats values, Codes columns, Integers offsets, std::int64_t width) {
  if (values.ndim() != 1 || (values.shape(0) > 0 && values.stride(0) != 1)) {
    throw nb::value_error("the values of a sparse matrix must be a contiguous array with one axis");
  }
  return {Source::csr(values.data(), float_type(values.dtype()), static_cast<std::int64_t>(values.shape(0)),
                      copy_of<std::int32_t>(columns), copy_of<std::int64_t>(offsets), width),
          {nb::cast(values)}};
}

std::vector<Source> sources_of(const nb::list& given) {
  std::vector<Source> sources;
  for (const nb::handle source : given) {
    if (!nb::isinstance<PySource>(source)) throw nb::type_error("sources must be a list of Source objects");
    sources.push_back(nb::inst_ptr<PySource>(source)->source);
  }
  return sources;
}

std::span<std::byte> bytes_of(const Bytes& memory) {
  return {reinterpret_cast<std::byte*>(memory.data()), memory.size()};
}

bool python_interrupted() {
  nb::gil_scoped_acquire held;
  return PyErr_CheckSignals() != 0;
}

// Python says which thread that is, and again after a fork. Asking it here would run Python code, in which the end of
// the interpreter can end a thread: see GilRelease.
std::atomic<unsigned long> main_thread{0};

// Python handles signals only in its main thread. Other threads must not check for them: during the shutdown of the
// interpreter, acquiring the GIL would end the thread in the middle of native code.
Session::Interrupted interrupts_of_this_thread() {
  return PyThread_get_thread_ident() == main_thread.load() ? Session::Interrupted(python_interrupted) : nullptr;
}

// A session, with a flag that rejects a second thread.
class PySession {
 public:
  PySession(const PyProgram& block, const PyProgram* update, std::int64_t zero_offset, std::int64_t zero_bytes)
      : session_(block.program, update != nullptr ? update->program : nullptr, zero_offset, zero_bytes) {}

  nb::tuple train(Bytes persistent, nb::list sources, std::int64_t batch_size, std::optional<Integers2> order,
                  std::int64_t n_rows, Doubles slots, std::uint64_t seed, std::int64_t first_step,
                  std::int64_t n_epochs, bool shuffle, std::int64_t first_epoch,
                  std::pair<std::int64_t, double> position, std::int64_t max_steps, double max_seconds,
                  std::int64_t min_rows) {
    const Busy busy(*this);
    last_ = {};
    TrainOptions options;
    options.batch_size = batch_size;
    options.order_rows = order ? static_cast<std::int64_t>(order->shape(1)) : n_rows;
    options.n_epochs = order ? static_cast<std::int64_t>(order->shape(0)) : n_epochs;
    options.shuffle = shuffle;
    options.first_epoch = first_epoch;
    const std::vector<std::int64_t> rows = order ? copy_of<std::int64_t>(*order) : std::vector<std::int64_t>();
    options.order = order ? rows.data() : nullptr;
    const std::vector<double> slot_values = copy_of<double>(slots);
    options.slots = slot_values;
    options.seed = seed;
    options.first_step = first_step;
    options.position = {position.first, position.second};
    options.max_steps = max_steps;
    options.max_seconds = max_seconds;
    options.min_rows = min_rows;
    const std::vector<Source> given = sources_of(sources);
    TrainResult result;
    const Session::Interrupted interrupted = interrupts_of_this_thread();
    {
      const GilRelease released;
      result = session_.train(bytes_of(persistent), given, options, interrupted);
    }
    last_ = result;
    if (result.status == Status::interrupted) throw nb::python_error();
    return nb::make_tuple(result.losses, result.n_steps, result.status == Status::finished);
  }

  void forward(Bytes persistent, nb::list sources, std::int64_t n_rows, Doubles slots, nb::list output_arrays) {
    const Busy busy(*this);
    const auto outputs = elements_of<Writable>(output_arrays, "outputs must be a list of writable contiguous arrays");
    std::vector<std::span<std::byte>> to;
    const Program& program = session_.program();
    const std::vector<std::int32_t>& ids = program.roles().outputs;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (i < ids.size() && outputs[i].dtype() != dtype_of(program.value(ids[i]).dtype)) {
        throw nb::type_error("an output array must have the dtype of its output");
      }
      to.emplace_back(static_cast<std::byte*>(outputs[i].data()), outputs[i].nbytes());
    }
    const std::vector<Source> given = sources_of(sources);
    const std::vector<double> slot_values = copy_of<double>(slots);
    bool finished = false;
    const Session::Interrupted interrupted = interrupts_of_this_thread();
    {
      const GilRelease released;
      finished = session_.forward(bytes_of(persistent), given, n_rows, slot_values, to, interrupted);
    }
    if (!finished) throw nb::python_error();
  }

  void gradient(Bytes persistent, nb::list sources, Integers rows, std::int64_t first_row, double inverse_weight,
                Doubles slots, std::uint64_t seed, std::int64_t step) {
    const Busy busy(*this);
    const std::vector<std::int64_t> numbers = copy_of<std::int64_t>(rows);
    const std::vector<Source> given = sources_of(sources);
    const std::vector<double> values = copy_of<double>(slots);
    const Batch batch{numbers.data(),
                      static_cast<std::int64_t>(numbers.size()),
                      first_row,
                      inverse_weight,
                      values.data(),
                      seed,
                      step};
    const GilRelease released;
    session_.gradient(bytes_of(persistent), given, batch, static_cast<std::int64_t>(values.size()));
  }

  double update(Bytes persistent, double inverse_weight, Doubles slots, std::uint64_t seed, std::int64_t step) {
    const Busy busy(*this);
    const std::vector<double> values = copy_of<double>(slots);
    const Batch batch{nullptr, 0, 0, inverse_weight, values.data(), seed, step};
    const GilRelease released;
    return session_.update(bytes_of(persistent), batch, static_cast<std::int64_t>(values.size()));
  }

  std::int64_t n_steps() const { return last_.n_steps; }
  std::vector<double> losses() const { return last_.losses; }
  std::pair<std::int64_t, double> position() const { return {last_.position.row, last_.position.sum}; }

  nb::list evaluate(Bytes persistent, nb::list sources, std::int64_t n_rows, Doubles slots, nb::list values,
                    std::uint64_t seed, std::int64_t step) {
    const Busy busy(*this);
    nb::list arrays;
    for (const Operand& found :
         session_.evaluate(bytes_of(persistent), sources_of(sources), n_rows, copy_of<double>(slots), seed, step,
                           elements_of<std::int32_t>(values, "values must be a list of integers"))) {
      arrays.append(copy(found));
    }
    return arrays;
  }

 private:
  struct Busy {
    explicit Busy(PySession& session) : flag(session.busy_) {
      if (flag.test_and_set()) {
        throw std::runtime_error("this session is running in another thread; use one session per thread");
      }
    }
    ~Busy() { flag.clear(); }
    std::atomic_flag& flag;
  };

  static nb::ndarray<nb::numpy> copy(const Operand& found) {
    std::vector<std::size_t> shape;
    shape.reserve(static_cast<std::size_t>(found.rank));
    for (int d = 0; d < found.rank; ++d) shape.push_back(static_cast<std::size_t>(found.dims[d]));
    const auto bytes = static_cast<std::size_t>(found.size() * item_bytes(found.dtype));
    auto* memory = new std::byte[bytes + 1];
    std::memcpy(memory, found.data, bytes);
    nb::capsule owner(memory, [](void* p) noexcept { delete[] static_cast<std::byte*>(p); });
    return nb::ndarray<nb::numpy>(memory, shape.size(), shape.data(), owner, nullptr, dtype_of(found.dtype));
  }

  Session session_;
  TrainResult last_;
  std::atomic_flag busy_;
};

void shuffle_as_numpy_rows(nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> order,
                           nb::handle bit_generator) {
  auto* bits = static_cast<NumpyBits*>(PyCapsule_GetPointer(bit_generator.ptr(), "BitGenerator"));
  if (bits == nullptr) throw nb::python_error();
  shuffle_as_numpy(order.data(), static_cast<std::int64_t>(order.shape(0)), *bits);
}

nb::list kernel_rows() {
  nb::list rows;
  for (const Kernel& kernel : kernel_set().kernels) {
    rows.append(nb::make_tuple(kernel.name, kernel.n_inputs, kernel.n_attrs, kernel.n_writes));
  }
  return rows;
}

void make_program(PyProgram* self, int dtype, Integers values, Integers code, nb::list inputs, nb::list slots,
                  nb::list outputs, std::int32_t key, std::int32_t inverse_weight, std::int32_t weights,
                  std::int32_t loss, std::int64_t capacity, std::int64_t persistent_bytes,
                  std::int64_t workspace_bytes) {
  const auto ids = [](const nb::list& list) {
    return elements_of<std::int32_t>(list, "inputs, slots and outputs must be lists of 32-bit integers");
  };
  Roles roles{ids(inputs), ids(slots), ids(outputs), key, inverse_weight, weights, loss};
  new (self) PyProgram{std::make_shared<const Program>(static_cast<DType>(dtype), copy_of<std::int64_t>(values),
                                                       copy_of<std::int64_t>(code), std::move(roles), capacity,
                                                       persistent_bytes, workspace_bytes)};
}

}  // namespace

NB_MODULE(_core, m) {
  // A traceback that outlives the interpreter keeps arrays alive; users should not be warned of that.
  nb::set_leak_warnings(false);
  m.doc() = "The native core: validated programs and the sessions that run them.";
  m.def("isa", [] { return kernel_set().level; }, "The instruction set of the kernels in use.");
  m.def("isa_levels", &available_levels, "The instruction sets that this processor can run, lowest first.");
  m.def("kernels", &kernel_rows,
        "(name, n_inputs, n_attrs, number of leading inputs that are updated) by opcode; -1: any number.");
  m.def(
      "shuffle_as_numpy", &shuffle_as_numpy_rows, "order"_a.noconvert(), "bit_generator"_a,
      "Shuffle int64 numbers as a RandomState with this bit generator (its capsule) does; the caller holds its lock.");
  m.def("set_num_threads", &Team::set_size, "n"_a, "Set the number of threads in the team of this process.");
  m.def("get_num_threads", &Team::size);
  m.def("set_main_thread", [](unsigned long identity) { main_thread.store(identity); }, "identity"_a,
        "Name the thread that handles signals: runs look for an interrupt in this thread alone.");
  m.def("share_always", [](bool always) { Runner::set_sharing(always ? Sharing::always : Sharing::measured); },
        "always"_a, "For tests: run in parallel whatever can be, even where that is slower.");

  nb::class_<PyProgram>(m, "Program")
      .def("__init__", &make_program, nb::kw_only(), "dtype"_a, "values"_a, "code"_a, "inputs"_a, "slots"_a,
           "outputs"_a, "key"_a, "inverse_weight"_a, "weights"_a, "loss"_a, "capacity"_a, "persistent_bytes"_a,
           "workspace_bytes"_a)
      .def_prop_ro("workspace_bytes", [](const PyProgram& p) { return p.program->workspace_bytes(); })
      .def_prop_ro("persistent_bytes", [](const PyProgram& p) {
    return p.program->persistent_bytes();
  }).def_prop_ro("capacity", [](const PyProgram& p) { return p.program->capacity(); });

  nb::class_<PySource>(m, "Source")
      .def_static("dense", &dense_source, "array"_a)
      .def_static("codes", &codes_source, "array"_a.noconvert(), "limit"_a)
      .def_static("csr", &csr_source, "values"_a, "columns"_a.noconvert(), "offsets"_a.noconvert(), "width"_a)
      .def_prop_ro("n_rows", [](const PySource& s) { return s.source.n_rows; });

  nb::class_<PySession>(m, "Session")
      .def(nb::init<const PyProgram&, const PyProgram*, std::int64_t, std::int64_t>(), "block"_a,
           "update"_a.none() = nb::none(), "zero_offset"_a = 0, "zero_bytes"_a = 0)
      // noconvert: results must be written to the caller's memory, not to a converted copy.
      .def("train", &PySession::train, "persistent"_a.noconvert(), "sources"_a, "batch_size"_a, "order"_a.none(),
           "n_rows"_a, "slots"_a, "seed"_a = 0, "first_step"_a = 0, "n_epochs"_a = 1, "shuffle"_a = false,
           "first_epoch"_a = 0, "position"_a = std::pair<std::int64_t, double>(0, 0.0), "max_steps"_a = 0,
           "max_seconds"_a = 0.0, "min_rows"_a = 1)
      .def("gradient", &PySession::gradient, "persistent"_a.noconvert(), "sources"_a, "rows"_a, "first_row"_a,
           "inverse_weight"_a, "slots"_a, "seed"_a = 0, "step"_a = 0)
      .def("update", &PySession::update, "persistent"_a.noconvert(), "inverse_weight"_a, "slots"_a, "seed"_a = 0,
           "step"_a = 0)
      .def("forward", &PySession::forward, "persistent"_a.noconvert(), "sources"_a, "n_rows"_a, "slots"_a, "outputs"_a)
      .def("evaluate", &PySession::evaluate, "persistent"_a.noconvert(), "sources"_a, "n_rows"_a, "slots"_a, "values"_a,
           "seed"_a = 0, "step"_a = 0)
      .def_prop_ro("n_steps", &PySession::n_steps,
                   "The number of steps of the last call of `train`, even if it was interrupted.")
      .def_prop_ro("losses", &PySession::losses, "The losses of the epochs that the last call of `train` completed.")
      .def_prop_ro("position", &PySession::position,
                   "In an incomplete epoch: (rows done, sum of the batches' losses times their rows); else (0, 0).");
}

}  // namespace rosenblatt
