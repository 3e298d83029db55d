// A GPU that is only pretended, for computers without one.
//
// Tensors of the device "cuda" lie in ordinary memory and are computed by the kernels of
// the CPU, so everything around the kernels runs as it does on a GPU: tensors of two
// devices in one operation are refused, fused kernels refuse what they refuse there, memory
// is counted and ends, and whoever waits for a value is found out. It must be loaded before torch's Python module, which asks once
// whether there is a GPU. See pretend.py.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/native/ForeachUtils.h>
#include <ATen/ops/_local_scalar_dense_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

using at::Tensor;
using c10::Device;
using c10::DeviceIndex;
using c10::DispatchKey;
using c10::IValue;

namespace {

const Device kGpu(c10::DeviceType::CUDA, 0), kCpu(c10::DeviceType::CPU);

// Told what the program waits for: a value, a copy to or from the host.
void (*listener)(const char*) = nullptr;

void tell(const std::string& what) {
  if (listener != nullptr) listener(what.c_str());
}

// ---- memory -------------------------------------------------------------------------

std::atomic<int64_t> used{0}, most{0}, limit{INT64_MAX};

void take(int64_t bytes) {
  const int64_t now = used += bytes;
  if (now > limit) {
    used -= bytes;
    TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate ", bytes,
                     " bytes.");
  }
  int64_t before = most;
  while (before < now && !most.compare_exchange_weak(before, now)) {
  }
}

struct Block {
  void* memory;
  int64_t bytes;
};

void release(void* context) {
  auto* block = static_cast<Block*>(context);
  std::free(block->memory);
  used -= block->bytes;
  delete block;
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    take(static_cast<int64_t>(bytes));
    void* memory = bytes ? std::malloc(bytes) : nullptr;
    // What nobody wrote is not zero on a GPU either.
    if (memory != nullptr) std::memset(memory, 0xFB, bytes);
    return {memory, new Block{memory, static_cast<int64_t>(bytes)}, &release, kGpu};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

Allocator allocator;

// Memory of the host that is copied from and to without waiting.
std::mutex pinned_lock;
std::map<const char*, size_t> pinned;

bool is_pinned(const void* pointer) {
  std::lock_guard<std::mutex> held(pinned_lock);
  auto next = pinned.upper_bound(static_cast<const char*>(pointer));
  if (next == pinned.begin()) return false;
  --next;
  return static_cast<const char*>(pointer) < next->first + next->second;
}

void unpin(void* memory) {
  std::lock_guard<std::mutex> held(pinned_lock);
  pinned.erase(static_cast<const char*>(memory));
  std::free(memory);
}

struct PinnedAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = std::malloc(bytes + 1);
    std::lock_guard<std::mutex> held(pinned_lock);
    pinned[static_cast<const char*>(memory)] = bytes + 1;
    return {memory, memory, &unpin, kCpu};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

PinnedAllocator pinned_allocator;

// Keeps memory of one device alive that is also seen as memory of the other.
struct Shared {
  c10::Storage storage;
  int64_t bytes;
};

void unshare(void* context) {
  auto* shared = static_cast<Shared*>(context);
  used -= shared->bytes;
  delete shared;
}

// The same memory as a tensor of another device. `counts` if it is new on the GPU.
Tensor seen_on(const Tensor& tensor, Device device, bool counts = false) {
  const c10::Storage& storage = tensor.storage();
  const int64_t bytes = counts ? static_cast<int64_t>(storage.nbytes()) : 0;
  take(bytes);
  c10::DataPtr memory(storage.mutable_data(), new Shared{storage, bytes}, &unshare, device);
  auto made = c10::make_intrusive<c10::StorageImpl>(
      c10::StorageImpl::use_byte_size_t(), storage.nbytes(), std::move(memory),
      device == kGpu ? &allocator : c10::GetAllocator(c10::DeviceType::CPU), true);
  const auto key = device == kGpu ? DispatchKey::CUDA : DispatchKey::CPU;
  Tensor other = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(made), c10::DispatchKeySet(key), tensor.dtype());
  other.unsafeGetTensorImpl()->set_sizes_and_strides(
      tensor.sizes(), tensor.strides(), tensor.storage_offset());
  return other;
}

// ---- random numbers: those of the CPU -----------------------------------------------

struct Generator final : c10::GeneratorImpl {
  at::Generator inner = at::make_generator<at::CPUGeneratorImpl>(c10::default_rng_seed_val);

  Generator() : c10::GeneratorImpl(kGpu, c10::DispatchKeySet(DispatchKey::CUDA)) {}
  void set_current_seed(uint64_t seed) override { inner.set_current_seed(seed); }
  void set_offset(uint64_t) override {}
  uint64_t get_offset() const override { return 0; }
  uint64_t current_seed() const override { return inner.current_seed(); }
  uint64_t seed() override { return inner.seed(); }
  void set_state(const c10::TensorImpl& state) override {
    inner.unsafeGetGeneratorImpl()->set_state(state);
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return inner.unsafeGetGeneratorImpl()->get_state();
  }
  Generator* clone_impl() const override {
    auto* copy = new Generator();
    copy->inner = inner.clone();
    return copy;
  }
};

at::Generator& usual_generator() {
  static at::Generator generator = at::make_generator<Generator>();
  return generator;
}

at::Generator inner_of(const at::Generator& generator) {
  return static_cast<Generator*>(generator.unsafeGetGeneratorImpl())->inner;
}

// ---- what torch asks of a GPU --------------------------------------------------------

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return c10::DeviceType::CUDA; }
  Device exchangeDevice(Device) const override { return kGpu; }
  Device getDevice() const override { return kGpu; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  c10::Stream getStream(Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kGpu);
  }
  c10::Stream getNewStream(Device device, int) const override { return getStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override { return stream; }
  DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, const DeviceIndex,
              const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
};

struct Hooks : at::CUDAHooksInterface {
  explicit Hooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isAvailable() const override { return true; }
  bool isBuilt() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  int getNumGPUs() const override { return 1; }
  DeviceIndex current_device() const override { return 0; }
  const at::Generator& getDefaultGenerator(DeviceIndex) const override {
    return usual_generator();
  }
  at::Generator getNewGenerator(DeviceIndex) const override {
    return at::make_generator<Generator>();
  }
  bool isPinnedPtr(const void* pointer) const override { return is_pinned(pointer); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_allocator; }
  Device getDeviceFromPtr(void*) const override { return kGpu; }
};

c10::impl::DeviceGuardImplRegistrar guard(c10::DeviceType::CUDA, new Guard());

// ---- operations ----------------------------------------------------------------------

// Operations whose result the host has to wait for.
const std::set<std::string> kWaiting = {
    "aten::nonzero",    "aten::masked_select",      "aten::equal",    "aten::_unique2",
    "aten::unique_dim", "aten::unique_consecutive", "aten::bincount", "aten::multinomial"};
// Operations that take tensors of the CPU beside those of a GPU.
const std::set<std::string> kMixing = {"aten::index", "aten::index_put_",
                                       "aten::_index_put_impl_"};

// Lists whose tensors a fused kernel of an optimiser goes through side by side.
const std::set<std::string> kFused = {"aten::_fused_sgd_", "aten::_fused_adam_",
                                      "aten::_fused_adamw_"};
const std::set<std::string> kSideBySide = {"self", "grads", "momentum_buffer_list", "exp_avgs",
                                           "exp_avg_sqs"};

// What the kernels of CUDA check, and those of the CPU do not.
void check_fused(const c10::FunctionSchema& schema, const torch::jit::Stack& stack) {
  const size_t first = stack.size() - schema.arguments().size();
  std::vector<std::vector<Tensor>> lists;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const IValue& value = stack[first + i];
    if (!value.isTensorList()) continue;
    const std::string& argument = schema.arguments()[i].name();
    const std::vector<Tensor> list = value.toTensorVector();
    if (kSideBySide.count(argument) && !list.empty()) lists.push_back(list);
    if (argument == "state_steps")
      for (const Tensor& tensor : list)
        TORCH_CHECK(tensor.is_cuda() && tensor.scalar_type() == at::kFloat, schema.name(),
                    ": steps must be float32 on the GPU");
  }
  const std::vector<at::TensorList> seen(lists.begin(), lists.end());
  TORCH_CHECK(at::native::check_fast_path_restrictions(seen), schema.name(),
              ": lists must have same dtype, device, and layout");
}

class Call {
 public:
  Call(const c10::OperatorHandle& op, torch::jit::Stack* stack) : op_(op), stack_(stack) {}

  // Compute on the CPU what was asked of the GPU.
  void run() {
    const auto& schema = op_.schema();
    const std::string& name = schema.name();
    const size_t first = stack_->size() - schema.arguments().size();
    if (kWaiting.count(name)) tell(name);
    if (kFused.count(name)) check_fused(schema, *stack_);
    for (size_t i = first; i < stack_->size(); ++i)
      (*stack_)[i] = to_cpu((*stack_)[i], schema.arguments()[i - first].name());
    TORCH_CHECK(!mixed_ || kMixing.count(name), "Tensors of the CPU and the GPU in ", name);
    // A single number in place of those that are chosen is no more than a mask.
    if (kMixing.count(name) && chooses_ &&
        (name == "aten::index" || (*stack_)[first + 2].toTensor().numel() != 1))
      tell("aten::nonzero");
    op_.callBoxed(stack_);
    for (auto& [gpu, cpu] : pairs_) follow(gpu, cpu);
    for (size_t i = stack_->size() - schema.returns().size(); i < stack_->size(); ++i)
      (*stack_)[i] = to_gpu((*stack_)[i]);
  }

 private:
  IValue to_cpu(const IValue& value, const std::string& argument) {
    if (value.isTensor()) return down(value.toTensor());
    if (value.isDevice()) return kCpu;
    if (value.isGenerator()) {
      const at::Generator generator = value.toGenerator();
      TORCH_CHECK(generator.device() == kGpu, "Generator of the CPU for ", op_.schema().name());
      return inner_of(generator);
    }
    if (value.isNone() && argument == "generator") return inner_of(usual_generator());
    if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& tensor : value.toTensorVector()) list.push_back(down(tensor));
      return list;
    }
    if (value.isList() && holds_tensors(value)) {
      c10::List<std::optional<Tensor>> list;
      for (const IValue& item : value.toListRef()) {
        if (item.isTensor()) {
          const auto kind = item.toTensor().scalar_type();
          chooses_ = chooses_ || kind == at::kBool || kind == at::kByte;
          list.push_back(down(item.toTensor()));
        } else {
          list.push_back(std::nullopt);
        }
      }
      return list;
    }
    return value;
  }

  static bool holds_tensors(const IValue& list) {
    for (const IValue& item : list.toListRef())
      if (item.isTensor()) return true;
    return false;
  }

  Tensor down(const Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (tensor.device() != kGpu) {
      mixed_ = mixed_ || tensor.dim() > 0;
      return tensor;
    }
    for (auto& [gpu, cpu] : pairs_)
      if (gpu.is_same(tensor)) return cpu;
    pairs_.emplace_back(tensor, seen_on(tensor, kCpu));
    return pairs_.back().second;
  }

  // What a kernel changed in the shape or memory of an output that it was given.
  static void follow(const Tensor& gpu, const Tensor& cpu) {
    if (gpu.storage().data() != cpu.storage().data())
      gpu.unsafeGetTensorImpl()->set_storage_keep_dtype(seen_on(cpu, kGpu, true).storage());
    if (gpu.sizes() != cpu.sizes() || gpu.strides() != cpu.strides())
      gpu.unsafeGetTensorImpl()->set_sizes_and_strides(
          cpu.sizes(), cpu.strides(), cpu.storage_offset());
  }

  IValue to_gpu(const IValue& value) {
    if (value.isTensor()) return up(value.toTensor());
    if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& tensor : value.toTensorVector()) list.push_back(up(tensor));
      return list;
    }
    return value;
  }

  Tensor up(const Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    for (auto& [gpu, cpu] : pairs_)
      if (cpu.is_same(tensor)) return gpu;
    bool is_new = true;  // and no view of what was given
    for (auto& [gpu, cpu] : pairs_)
      is_new = is_new && tensor.storage().data() != gpu.storage().data();
    return seen_on(tensor, kGpu, is_new);
  }

  const c10::OperatorHandle& op_;
  torch::jit::Stack* stack_;
  std::vector<std::pair<Tensor, Tensor>> pairs_;
  bool mixed_ = false, chooses_ = false;
};

void on_cpu(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  Call(op, stack).run();
}

Tensor empty(c10::IntArrayRef size, std::optional<c10::ScalarType> dtype,
             std::optional<c10::Layout>, std::optional<Device>, std::optional<bool>,
             std::optional<c10::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, c10::DispatchKeySet(DispatchKey::CUDA),
                                   c10::dtype_or_default(dtype), format);
}

Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride,
                     std::optional<c10::ScalarType> dtype, std::optional<c10::Layout>,
                     std::optional<Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator,
                                           c10::DispatchKeySet(DispatchKey::CUDA),
                                           c10::dtype_or_default(dtype));
}

Tensor& copy(Tensor& to, const Tensor& from, bool non_blocking) {
  if (!to.is_cuda() && !(non_blocking && is_pinned(to.storage().data())))
    tell("copy to the host");
  if (!from.is_cuda() && !(non_blocking && is_pinned(from.storage().data())))
    tell("copy to the GPU");
  const Tensor target = to.is_cuda() ? seen_on(to, kCpu) : to;
  target.copy_(from.is_cuda() ? seen_on(from, kCpu) : from);
  return to;
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool non_blocking) {
  Tensor target = to;
  return copy(target, from, non_blocking);
}

c10::Scalar value(const Tensor& tensor) {
  tell("value");
  return at::native::_local_scalar_dense_cpu(seen_on(tensor, kCpu));
}

}  // namespace

namespace at {
C10_REGISTER_CLASS(CUDAHooksRegistry, CUDAHooks, ::Hooks)
}

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("view", &at::native::view);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
  library.impl("unfold", &at::native::unfold);
  library.impl("copy_", &copy);
  library.impl("_copy_from", &copy_from);
  library.impl("_local_scalar_dense", &value);
  // By way of an output of another shape, otherwise.
  library.impl("smooth_l1_loss", torch::CppFunction::makeFromBoxedFunction<&on_cpu>());
}

// ---- for pretend.py -------------------------------------------------------------------

extern "C" {
void pretend_start() { c10::SetAllocator(c10::DeviceType::CUDA, &allocator); }
void pretend_listen(void (*function)(const char*)) { listener = function; }
void pretend_limit(int64_t bytes) { limit = bytes; }
int64_t pretend_used() { return used; }
int64_t pretend_most() { return most.exchange(used); }
void pretend_seed(uint64_t seed) { usual_generator().set_current_seed(seed); }
}
