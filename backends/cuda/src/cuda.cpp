// GPUs of NVIDIA in libtorch. Its library for them is loaded at run time, so that nothing here needs the headers of CUDA, and what
// is built runs where there is none.

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/_fused_sgd.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using c10::impl::VirtualGuardImpl;

c10::Device gpu(int device) {
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device));
}

// A function of a library that is loaded; null where there is none.
template <typename Function>
Function loaded(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

// Calls something, and returns null, or what failed in memory of malloc.
template <typename Act>
char* tried(Act act) {
  try {
    act();
    return nullptr;
  } catch (const std::exception& error) {
    return strdup(error.what());
  }
}

struct Autocast {
  c10::DeviceType type;
  bool was_on;
  at::ScalarType before;
};

// What was copied to a GPU aside, and when.
struct Copied {
  at::Tensor tensor;
  c10::Event event;
};

}  // namespace

extern "C" {

// The path of the library of libtorch that the process runs on, in memory of malloc; null where it is not known.
char* nas_cuda_beside() {
  Dl_info found;
  if (dladdr(reinterpret_cast<void*>(&at::globalContext), &found) == 0) return nullptr;
  return found.dli_fname == nullptr ? nullptr : strdup(found.dli_fname);
}

// Loads a library, of which all others see what it has.
char* nas_cuda_load(const char* path) {
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != nullptr) return nullptr;
  const char* reason = dlerror();
  return strdup(reason == nullptr ? "no reason is given" : reason);
}

int nas_cuda_count() {
  try {
    const auto& hooks = at::detail::getCUDAHooks();
    return hooks.hasCUDA() ? static_cast<int>(hooks.deviceCount()) : 0;
  } catch (const std::exception&) {
    return 0;
  }
}

// The name of a GPU, as its driver says it.
bool nas_cuda_name(int device, char* name, int length) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return false;
  const auto init = loaded<int (*)(unsigned)>(driver, "cuInit");
  const auto get = loaded<int (*)(int*, int)>(driver, "cuDeviceGet");
  const auto named = loaded<int (*)(char*, int, int)>(driver, "cuDeviceGetName");
  int handle = 0;
  return init != nullptr && get != nullptr && named != nullptr && init(0) == 0 &&
         get(&handle, device) == 0 && named(name, length, handle) == 0;
}

// Bytes that are free on a GPU.
bool nas_cuda_free(int device, uint64_t* bytes) {
  const auto info = loaded<int (*)(size_t*, size_t*)>(RTLD_DEFAULT, "cudaMemGetInfo");
  if (info == nullptr) return false;
  try {
    const c10::OptionalDeviceGuard guard(gpu(device));
    size_t free = 0, total = 0;
    if (info(&free, &total) != 0) return false;
    *bytes = free;
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Bytes that tensors on a GPU have taken at most.
bool nas_cuda_peak(int device, uint64_t* bytes) {
  try {
    const auto stats = c10::getDeviceAllocator(c10::DeviceType::CUDA)->getDeviceStats(gpu(device).index());
    *bytes = static_cast<uint64_t>(stats.allocated_bytes[0].peak);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Products of floats by tensor cores, with 10 bits behind the point (TF32), and the fastest algorithm for each convolution.
void nas_cuda_fast() {
  at::globalContext().setAllowTF32CuBLAS(true);
  at::globalContext().setAllowTF32CuDNN(true);
  at::globalContext().setBenchmarkCuDNN(true);
}

// Has operators that gain by it compute with bfloat16 on a kind of device, until it ends.
void* nas_autocast_begin(bool on_gpu) {
  const auto type = on_gpu ? c10::DeviceType::CUDA : c10::DeviceType::CPU;
  auto* autocast = new Autocast{type, at::autocast::is_autocast_enabled(type),
                                at::autocast::get_autocast_dtype(type)};
  at::autocast::set_autocast_dtype(type, at::kBFloat16);
  at::autocast::set_autocast_enabled(type, true);
  at::autocast::increment_nesting();
  return autocast;
}

void nas_autocast_end(void* begun) {
  const auto* autocast = static_cast<Autocast*>(begun);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(autocast->type, autocast->was_on);
  at::autocast::set_autocast_dtype(autocast->type, autocast->before);
  delete autocast;
}

// A step of stochastic gradient descent of many tensors at once. `tensors` holds weights, gradient and velocity of each in turn.
char* nas_cuda_sgd(const at::Tensor* const* tensors, size_t count, double momentum, double decay, double rate) {
  return tried([&] {
    std::vector<at::Tensor> weights, gradients, velocities;
    for (size_t i = 0; i < count; ++i) {
      weights.push_back(*tensors[3 * i]);
      gradients.push_back(*tensors[3 * i + 1]);
      velocities.push_back(*tensors[3 * i + 2]);
    }
    at::_fused_sgd_(weights, gradients, velocities, decay, momentum, rate, /*dampening=*/0, /*nesterov=*/false,
                    /*maximize=*/false, /*is_first_step=*/false);
  });
}

// Begins to copy a tensor to a GPU, beside what that computes. `*copied` is to be taken once.
char* nas_cuda_copy(const at::Tensor* from, int device, void** copied) {
  return tried([&] {
    const VirtualGuardImpl guard(c10::DeviceType::CUDA);
    const c10::StreamGuard aside(guard.getStreamFromGlobalPool(gpu(device), true));
    // What is pinned goes without the processor.
    const auto pinned = from->is_pinned() ? *from : from->pin_memory();
    std::unique_ptr<Copied> made(
        new Copied{pinned.to(gpu(device), /*non_blocking=*/true), c10::Event(c10::DeviceType::CUDA)});
    made->event.record(aside.current_stream());
    *copied = made.release();
  });
}

// Has what the GPU computes from now on wait for the copy, and moves that to `to`, an undefined tensor.
char* nas_cuda_take(void* copied, at::Tensor** to) {
  const std::unique_ptr<Copied> made(static_cast<Copied*>(copied));
  return tried([&] {
    const VirtualGuardImpl guard(c10::DeviceType::CUDA);
    const auto current = guard.getStream(made->tensor.device());
    made->event.block(current);
    // Its memory is not given to others before what reads it is done.
    made->tensor.record_stream(current);
    *to = new at::Tensor(std::move(made->tensor));
  });
}

void nas_cuda_drop(void* copied) { delete static_cast<Copied*>(copied); }

}  // extern "C"
