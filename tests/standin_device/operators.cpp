// What the devices compute: copies and memory by hand, everything else by torch's own CPU kernels on copies of the operands.
#include "device.h"
#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/extension.h>

namespace standin {
namespace {

bool is_here(const at::Tensor& tensor) { return tensor.device().type() == KIND; }

at::Tensor host_view(const at::Tensor& tensor) {
  if (!is_here(tensor)) return tensor;
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(), at::TensorOptions().dtype(tensor.dtype()));
}

c10::DeviceIndex index_of(std::optional<at::Device> device) {
  return device && device->has_index() ? device->index() : current_device();
}

// ---- memory

at::Tensor empty(
    c10::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>, std::optional<at::Device> device,
    std::optional<bool>, std::optional<at::MemoryFormat> format) {
  c10::DeviceGuard guard(c10::Device(KIND, index_of(device)));
  return at::detail::empty_generic(
      size, allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(type), format);
}

at::Tensor empty_strided(
    c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> type, std::optional<at::Layout>,
    std::optional<at::Device> device, std::optional<bool>) {
  c10::DeviceGuard guard(c10::Device(KIND, index_of(device)));
  return at::detail::empty_strided_generic(
      size, stride, allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(type));
}

const at::Tensor& resize_(const at::Tensor& tensor, c10::SymIntArrayRef wanted, std::optional<at::MemoryFormat>) {
  auto size = C10_AS_INTARRAYREF_SLOW(wanted);
  if (tensor.sizes() == size) return tensor;
  auto* impl = tensor.unsafeGetTensorImpl();
  impl->set_sizes_contiguous(size);
  size_t needed = (impl->numel() + impl->storage_offset()) * impl->dtype().itemsize();
  if (tensor.storage().nbytes() < needed) {
    c10::DeviceGuard guard(tensor.device());
    tensor.storage().unsafeGetStorageImpl()->set_data_ptr_noswap(allocator()->allocate(needed));
    tensor.storage().unsafeGetStorageImpl()->set_nbytes(needed);
  }
  return tensor;
}

at::Tensor& set_(at::Tensor& tensor, at::Storage storage, int64_t offset, c10::IntArrayRef size, c10::IntArrayRef stride) {
  auto* impl = tensor.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(storage));
  impl->set_storage_offset(offset);
  impl->set_sizes_and_strides(size, stride);
  return tensor;
}

at::Tensor& set_storage(at::Tensor& tensor, at::Storage storage) {
  int64_t length = static_cast<int64_t>(storage.nbytes() / tensor.dtype().itemsize());
  return set_(tensor, std::move(storage), 0, {length}, {1});
}

// ---- copies

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  at::NoGradGuard no_grad;
  at::AutoDispatchBelowADInplaceOrView below;
  for (const auto& tensor : {from, to}) {
    if (is_here(tensor)) check_device(tensor.get_device());
  }
  if (is_here(from) && is_here(to)) {
    count_launch(to.get_device());
  } else if (is_here(to)) {
    Counters& counted = counters(to.get_device());
    counted.bytes_to_device += to.nbytes();
    if (!is_default_stream(to.get_device())) counted.bytes_beside += to.nbytes();
  } else {
    Counters& counted = counters(from.get_device());
    counted.bytes_to_host += from.nbytes();
    if (!non_blocking) ++counted.host_reads;
  }
  host_view(to).copy_(host_view(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

// What is queued has run when the call returns: no memory is given away too early.
void record_stream(at::Tensor&, c10::Stream) {}

at::Scalar read_number(const at::Tensor& tensor) {
  check_device(tensor.get_device());
  ++counters(tensor.get_device()).host_reads;
  return at::_local_scalar_dense(host_view(tensor));
}

// ---- everything else

// A kernel's own moves between its operands and its CPU's are no copies of the user's.
struct Uncounted {
  explicit Uncounted(c10::DeviceIndex device) : counted(counters(device)) {
    reads = counted.host_reads, to_device = counted.bytes_to_device, to_host = counted.bytes_to_host;
    launches = counted.launches, beside = counted.bytes_beside;
  }
  ~Uncounted() {
    counted.host_reads = reads, counted.bytes_to_device = to_device, counted.bytes_to_host = to_host;
    counted.launches = launches, counted.bytes_beside = beside;
  }
  Counters& counted;
  long reads, to_device, to_host, launches, beside;
};

const char* NAME = "standin";

// As on CUDA: a number of the CPU may meet tensors of a device, and a CPU's indices may choose from them.
void check_same_device(const c10::OperatorHandle& op, c10::DeviceIndex device, const at::Tensor& tensor) {
  if (!tensor.defined() || (is_here(tensor) && tensor.get_device() == device)) return;
  if (tensor.dim() == 0 && !is_here(tensor)) return;
  const auto& name = op.schema().name();
  if (name == "aten::index" || name == "aten::_index_put_impl_" || name == "aten::index_put_") return;
  TORCH_CHECK(
      false, "Expected all tensors to be on the same device, but ", name, " found ", NAME, ":", int(device), " and ",
      tensor.device().str());
}

template <class F>
void for_each_tensor(const c10::IValue& value, F&& found) {
  if (value.isTensor()) {
    found(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) found(tensor);
  } else if (value.isOptionalTensorList()) {
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      if (tensor) found(*tensor);
    }
  }
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& arguments = op.schema().arguments();
  auto first = stack->end() - static_cast<long>(arguments.size());
  c10::DeviceIndex device = -1;
  for (auto value = first; value != stack->end(); ++value) {
    for_each_tensor(*value, [&](const at::Tensor& tensor) {
      if (device < 0 && tensor.defined() && is_here(tensor)) device = tensor.get_device();
    });
    if (device < 0 && value->isDevice() && value->toDevice().type() == KIND) device = index_of(value->toDevice());
  }
  if (device < 0) device = current_device();
  for (auto value = first; value != stack->end(); ++value) {
    for_each_tensor(*value, [&](const at::Tensor& tensor) { check_same_device(op, device, tensor); });
  }
  for (size_t place = 0; place < arguments.size(); ++place) {
    auto type = arguments[place].type();
    if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
    if (type->kind() != c10::TypeKind::GeneratorType) continue;
    auto& value = *(first + static_cast<long>(place));
    value = host_generator(value.isNone() ? default_generator(device) : value.toGenerator());
  }
  count_launch(device);
  Uncounted own(device);
  c10::DeviceGuard guard(c10::Device(KIND, device));
  at::native::cpu_fallback(op, stack);
}

at::Tensor on_device(const at::Tensor& computed, c10::Device device) {
  if (!computed.defined()) return computed;
  auto moved = at::empty_like(computed, computed.options().device(device));
  host_view(moved).copy_(computed);
  return moved;
}

at::Tensor convolution(
    const at::Tensor& x, const at::Tensor& w, const std::optional<at::Tensor>& bias, c10::SymIntArrayRef stride,
    c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation, bool transposed, c10::SymIntArrayRef output_padding,
    c10::SymInt groups) {
  count_launch(x.get_device());
  std::optional<at::Tensor> host_bias;
  if (bias && bias->defined()) host_bias = host_view(*bias);
  return on_device(
      at::convolution_symint(
          host_view(x), host_view(w), host_bias, stride, padding, dilation, transposed, output_padding, std::move(groups)),
      x.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& grad, const at::Tensor& x, const at::Tensor& w, c10::SymIntArrayRef stride, c10::SymIntArrayRef padding,
    c10::SymIntArrayRef dilation, bool transposed, c10::SymIntArrayRef output_padding, c10::SymInt groups,
    std::array<bool, 3> mask) {
  count_launch(x.get_device());
  c10::SymInt channels = w.sym_size(transposed ? 1 : 0) * (transposed ? groups : c10::SymInt(1));
  std::vector<c10::SymInt> bias{channels};
  auto [dx, dw, db] = at::convolution_backward_symint(
      host_view(grad), host_view(x), host_view(w), c10::SymIntArrayRef(bias), stride, padding, dilation, transposed,
      output_padding, std::move(groups), mask);
  return {on_device(dx, x.device()), on_device(dw, x.device()), on_device(db, x.device())};
}

std::optional<at::Tensor> host_view(const std::optional<at::Tensor>& tensor) {
  if (!tensor || !tensor->defined()) return std::nullopt;
  return host_view(*tensor);
}

// Its running averages change, of which its schema says nothing: copies would lose them.
std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(
    const at::Tensor& x, const std::optional<at::Tensor>& w, const std::optional<at::Tensor>& b,
    const std::optional<at::Tensor>& mean, const std::optional<at::Tensor>& variance, bool training, double momentum,
    double eps) {
  count_launch(x.get_device());
  auto [y, saved_mean, saved_scale] = at::native_batch_norm(
      host_view(x), host_view(w), host_view(b), host_view(mean), host_view(variance), training, momentum, eps);
  return {on_device(y, x.device()), on_device(saved_mean, x.device()), on_device(saved_scale, x.device())};
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("native_batch_norm", batch_norm);
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("resize_", resize_);
  m.impl("set_.source_Storage_storage_offset", set_);
  m.impl("set_.source_Storage", set_storage);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("_local_scalar_dense", read_number);
  m.impl("record_stream", record_stream);
  m.impl("view", at::native::view);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolution_backward);
  // A list is one launch, as with CUDA's kernels; torch would else take its members one by one.
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name.rfind("aten::_foreach_", 0) == 0) {
      std::string short_name = name.name.substr(6) + (name.overload_name.empty() ? "" : "." + name.overload_name);
      m.impl(short_name.c_str(), torch::CppFunction::makeFromBoxedFunction<&fallback>());
    }
  }
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }

#define LOWER(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, lower_precision_fp)
#define FP32(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, fp32)
#define FP32_BY_OPTION(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, fp32_set_opt_dtype)
#define PROMOTE(...) KERNEL_PRIVATEUSEONE(__VA_ARGS__, promote)
TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {
  AT_FORALL_LOWER_PRECISION_FP(LOWER)
  AT_FORALL_FP32(FP32)
  AT_FORALL_FP32_SET_OPT_DTYPE(FP32_BY_OPTION)
  AT_FORALL_PROMOTE(PROMOTE)
}

}  // namespace
}  // namespace standin
