// A node of libtorch's autograd whose gradient is computed by a function that is given, and loops on libtorch's threads.

#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/profiler_legacy.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

// Returns null, or what failed in memory of malloc. `given` holds a tensor or null for each output; what `nas_give` is
// called with are the gradients of the inputs.
using Gradients = char* (*)(void* context, const at::Tensor* const* given, size_t count,
                            const unsigned char* wanted, size_t inputs, void* taken);
using Drop = void (*)(void* context);

struct Given : Node {
  Given(void* context, Gradients gradients, Drop drop)
      : context(context), gradients(gradients), drop(drop) {}

  ~Given() override { release_variables(); }

  std::string name() const override { return "nasc"; }

  variable_list apply(variable_list&& given) override {
    if (context == nullptr) throw std::runtime_error("a gradient is asked for twice");
    std::vector<const at::Tensor*> pointers;
    for (const auto& tensor : given) pointers.push_back(tensor.defined() ? &tensor : nullptr);
    const size_t inputs = num_outputs();
    std::vector<unsigned char> wanted;
    for (size_t i = 0; i < inputs; ++i) wanted.push_back(task_should_compute_output(i));
    variable_list taken(inputs);
    char* failed = gradients(context, pointers.data(), pointers.size(), wanted.data(), inputs, &taken);
    if (failed != nullptr) {
      std::string reason(failed);
      std::free(failed);
      throw std::runtime_error(reason);
    }
    return taken;
  }

  void release_variables() override {
    if (context != nullptr) drop(context);
    context = nullptr;
  }

  void* context;
  Gradients gradients;
  Drop drop;
};

}  // namespace

extern "C" {

// Takes the gradient of input `i`.
void nas_give(void* taken, size_t i, const at::Tensor* gradient) {
  static_cast<variable_list*>(taken)->at(i) = *gradient;
}

// Has the outputs be what a function makes of the inputs. Owns the context, also where it fails.
char* nas_record(at::Tensor* const* outputs, size_t output_count, const at::Tensor* const* inputs,
                 size_t input_count, void* context, Gradients gradients, Drop drop) {
  try {
    // It drops the context if this is not reached, or if nothing asks for gradients.
    std::shared_ptr<Given> node(new Given(context, gradients, drop), torch::autograd::deleteNode);
    std::vector<at::Tensor> all;
    bool wanted = false;
    for (size_t i = 0; i < input_count; ++i) {
      all.push_back(*inputs[i]);
      wanted = wanted || inputs[i]->requires_grad();
    }
    if (!wanted || !at::GradMode::is_enabled()) return nullptr;
    node->set_next_edges(torch::autograd::collect_next_edges(all));
    for (size_t i = 0; i < output_count; ++i) torch::autograd::set_history(*outputs[i], node);
    return nullptr;
  } catch (const std::exception& error) {
    return strdup(error.what());
  }
}

// The floats of a tensor on the processor, which lie side by side: of maps with channels last, or, where `row_major`, one row after
// the other. Null where they do not, and why: 1 of other numbers, 2 on another device, 3 in another order.
float* nas_floats(const at::Tensor* tensor, bool row_major, int64_t* count, int* why) {
  *why = 0;
  *count = tensor->defined() ? tensor->numel() : 0;
  if (!tensor->defined() || tensor->scalar_type() != at::kFloat) {
    *why = 1;
  } else if (!tensor->is_cpu()) {
    *why = 2;
  } else {
    const auto order = row_major || tensor->dim() != 4 ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
    if (!tensor->is_contiguous(order)) *why = 3;
  }
  if (*why != 0 || *count == 0) return nullptr;
  return static_cast<float*>(tensor->unsafeGetTensorImpl()->mutable_data());
}

// Whether the channels of a map `[N, C, H, W]` lie side by side.
bool nas_is_channels_last(const at::Tensor* tensor) {
  return tensor->dim() == 4 && tensor->is_contiguous(at::MemoryFormat::ChannelsLast);
}

// A tensor of these floats, row-major, without what libtorch looks up for each call of an operator. Null, and why in memory of
// malloc, if there is none.
at::Tensor* nas_of_floats(const float* values, const int64_t* sizes, size_t dims, char** failed) {
  try {
    auto* tensor = new at::Tensor(at::detail::empty_cpu(at::IntArrayRef(sizes, dims), at::kFloat));
    std::memcpy(tensor->unsafeGetTensorImpl()->mutable_data(), values, tensor->nbytes());
    return tensor;
  } catch (const std::exception& error) {
    *failed = strdup(error.what());
    return nullptr;
  }
}

// Whether what is computed on this thread is noted for gradients.
bool nas_is_recording() { return at::GradMode::is_enabled(); }

// Calls `task` with each number below `count`. Threads take the next number when they are done with one.
void nas_parallel(int64_t count, void* context, void (*task)(void* context, int64_t number)) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(count, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t thread = first; thread < last; ++thread) {
      for (int64_t number = next++; number < count; number = next++) task(context, number);
    }
  });
}

// Has memory that is freed be used again, instead of being given back to the system, which clears it page by page when it is
// asked for once more; by all threads: by itself each thread would have a heap, which keeps what it once took.
void nas_keep_memory() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
  // The most that it may be.
  mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024 * sizeof(long));
  mallopt(M_TRIM_THRESHOLD, 512 * 1024 * 1024);
#endif
}

// Has large memory that is freed be given back to the system at once, so that none lies in gaps.
void nas_give_back_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
#endif
}

// Begins to note what runs; null where the file cannot be written.
void* nas_profile_begin(const char* path) {
  try {
    return new torch::autograd::profiler::RecordProfile(std::string(path));
  } catch (const std::exception&) {
    return nullptr;
  }
}

// Writes what was noted.
void nas_profile_end(void* profile) {
  delete static_cast<torch::autograd::profiler::RecordProfile*>(profile);
}

// Notes that something of this name begins; null where nothing is noted.
void* nas_note_begin(const char* name) {
  if (!at::hasCallbacks()) return nullptr;
  auto* note = new at::RecordFunction(at::RecordScope::USER_SCOPE);
  if (note->isActive()) note->before(std::string(name));
  return note;
}

void nas_note_end(void* note) { delete static_cast<at::RecordFunction*>(note); }

}  // extern "C"
