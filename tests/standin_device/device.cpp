// Devices, their memory, events and random numbers; and the door for Python.
#include "device.h"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/extension.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <map>
#include <mutex>

namespace standin {
namespace {

Counters all_counters[MAX_DEVICES];
std::atomic<long> limit_bytes{-1};          // of each device; negative: none
std::atomic<long> lost_after_launches{-1};  // of all devices together; negative: never
std::atomic<long> all_launches{0};
std::atomic<int> count{2};
thread_local c10::DeviceIndex present = 0;
thread_local std::array<c10::StreamId, MAX_DEVICES> present_stream{};  // 0: the default one
std::atomic<c10::StreamId> num_streams{0};

long now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_lost() {
  long after = lost_after_launches;
  return after >= 0 && all_launches > after;
}

// ---- memory

constexpr size_t HEAD = 64;  // in front of each block: its size and device

struct Block {
  size_t num_bytes;
  c10::DeviceIndex device;
};

struct DeviceMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t num_bytes) override {
    check_device(present);
    Counters& counted = counters(present);
    long limit = limit_bytes, live = counted.live_bytes += num_bytes;
    if (limit >= 0 && live > limit) {
      counted.live_bytes -= num_bytes;
      TORCH_CHECK_WITH(
          OutOfMemoryError, false, "standin out of memory. Tried to allocate ", num_bytes, " bytes. Device ", int(present),
          " has a total capacity of ", limit, " bytes of which ", limit - (live - long(num_bytes)), " bytes are free.");
    }
    long seen = counted.peak_bytes;
    while (live > seen && !counted.peak_bytes.compare_exchange_weak(seen, live)) {
    }
    char* memory = static_cast<char*>(c10::alloc_cpu(num_bytes + HEAD));
    *reinterpret_cast<Block*>(memory) = {num_bytes, present};
    return {memory + HEAD, memory, &release, c10::Device(KIND, present)};
  }
  static void release(void* memory) {
    if (memory == nullptr) return;
    auto block = static_cast<Block*>(memory);
    all_counters[block->device].live_bytes -= block->num_bytes;
    c10::free_cpu(memory);
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t num_bytes) const override { default_copy_data(to, from, num_bytes); }
};

struct PinnedMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t num_bytes) override {
    char* memory = static_cast<char*>(c10::alloc_cpu(num_bytes + 1));
    std::lock_guard<std::mutex> guard(lock());
    blocks()[memory] = num_bytes + 1;
    return {memory, memory, &release, c10::Device(c10::DeviceType::CPU)};
  }
  static void release(void* memory) {
    if (memory == nullptr) return;
    std::lock_guard<std::mutex> guard(lock());
    blocks().erase(static_cast<char*>(memory));
    c10::free_cpu(memory);
  }
  static bool holds(const void* data) {
    auto address = static_cast<char*>(const_cast<void*>(data));
    std::lock_guard<std::mutex> guard(lock());
    auto behind = blocks().upper_bound(address);
    if (behind == blocks().begin()) return false;
    --behind;
    return address < behind->first + behind->second;
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t num_bytes) const override { default_copy_data(to, from, num_bytes); }

 private:
  static std::mutex& lock() {
    static auto* one = new std::mutex();
    return *one;
  }
  static std::map<char*, size_t>& blocks() {
    static auto* all = new std::map<char*, size_t>();
    return *all;
  }
};

DeviceMemory device_memory;
PinnedMemory pinned_memory;
struct Registered {
  Registered() { c10::SetAllocator(KIND, &device_memory); }
} registered;

// ---- random numbers: a generator of the device's own, behind which one of the CPU draws

struct DeviceGenerator final : c10::GeneratorImpl {
  explicit DeviceGenerator(c10::DeviceIndex device)
      : c10::GeneratorImpl(c10::Device(KIND, device), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)),
        host(at::make_generator<at::CPUGeneratorImpl>(c10::default_rng_seed_val)) {}
  void set_current_seed(uint64_t seed) override { host.set_current_seed(seed); }
  void set_offset(uint64_t offset) override { host.set_offset(offset); }
  uint64_t get_offset() const override { return host.get_offset(); }
  uint64_t current_seed() const override { return host.current_seed(); }
  uint64_t seed() override { return host.seed(); }
  void set_state(const c10::TensorImpl& state) override { host.unsafeGetGeneratorImpl()->set_state(state); }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override { return host.unsafeGetGeneratorImpl()->get_state(); }
  DeviceGenerator* clone_impl() const override {
    auto copy = new DeviceGenerator(device_.index());
    copy->host = host.clone();
    return copy;
  }
  at::Generator host;
};

// ---- events, streams, the current device

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return KIND; }
  c10::Device exchangeDevice(c10::Device device) const override {
    c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override { return {KIND, present}; }
  void setDevice(c10::Device device) const override {
    check_device(device.index());
    present = device.index();
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override { present = device.index(); }
  c10::Stream getStream(c10::Device device) const override { return stream_of(device, present_stream[index_of(device)]); }
  c10::Stream getDefaultStream(c10::Device device) const override { return stream_of(device, 0); }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override { return stream_of(device, ++num_streams); }
  c10::Stream getNewStream(c10::Device device, int) const override { return stream_of(device, ++num_streams); }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    c10::Stream before = getStream(stream.device());
    present_stream[stream.device_index()] = stream.id();
    return before;
  }
  c10::DeviceIndex deviceCount() const noexcept override { return num_devices(); }
  // What is queued has run when the call returns, so that an event is the moment of its recording.
  void record(void** event, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {
    if (*event == nullptr) *event = new long();
    *static_cast<long*>(*event) = now();
  }
  void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override { delete static_cast<long*>(event); }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream& stream) const override { check_device(stream.device_index()); }
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(const c10::DeviceIndex device) const override { check_device(device); }
  double elapsedTime(void* start, void* end, const c10::DeviceIndex) const override {
    return double(*static_cast<long*>(end) - *static_cast<long*>(start)) / 1e6;
  }

 private:
  static c10::DeviceIndex index_of(c10::Device device) { return device.has_index() ? device.index() : present; }
  static c10::Stream stream_of(c10::Device device, c10::StreamId id) {
    return c10::Stream(c10::Stream::UNSAFE, c10::Device(KIND, index_of(device)), id);
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return num_devices() > 0; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return num_devices(); }
  c10::DeviceIndex getCurrentDevice() const override { return present; }
  void setCurrentDevice(c10::DeviceIndex device) const override { Guard().setDevice({KIND, device}); }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex device) const override {
    return Guard().exchangeDevice({KIND, device}).index();
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex device) const override {
    return device < 0 ? present : exchangeDevice(device);
  }
  bool isPinnedPtr(const void* data) const override { return PinnedMemory::holds(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_memory; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex device) const override {
    return default_generator(device < 0 ? present : device);
  }
  at::Generator getNewGenerator(c10::DeviceIndex device) const override {
    return at::make_generator<DeviceGenerator>(device < 0 ? present : device);
  }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t num_bytes) const override {
    auto* impl = storage.unsafeGetStorageImpl();
    auto memory = allocator()->allocate(num_bytes);
    if (impl->data()) {
      allocator()->copy_data(memory.get(), impl->data(), std::min<size_t>(impl->nbytes(), num_bytes));
    }
    impl->set_data_ptr_noswap(std::move(memory));
    impl->set_nbytes(num_bytes);
  }
};

}  // namespace

Counters& counters(c10::DeviceIndex device) { return all_counters[device]; }
c10::DeviceIndex num_devices() { return static_cast<c10::DeviceIndex>(count.load()); }
c10::DeviceIndex current_device() { return present; }
bool is_default_stream(c10::DeviceIndex device) { return present_stream[device] == 0; }
c10::Allocator* allocator() { return &device_memory; }

void check_device(c10::DeviceIndex device) {
  TORCH_CHECK(!is_lost(), "standin error: the device is lost");
  TORCH_CHECK(device < num_devices(), "standin error: invalid device ordinal ", int(device), " of ", int(num_devices()));
}

void count_launch(c10::DeviceIndex device) {
  ++all_launches;
  check_device(device);
  ++counters(device).launches;
}

const at::Generator& default_generator(c10::DeviceIndex device) {
  static auto* all = [] {
    auto* made = new std::vector<at::Generator>();
    for (int index = 0; index < MAX_DEVICES; ++index) {
      made->push_back(at::make_generator<DeviceGenerator>(static_cast<c10::DeviceIndex>(index)));
    }
    return made;
  }();
  return all->at(device);
}

at::Generator host_generator(const at::Generator& generator) {
  return static_cast<DeviceGenerator*>(generator.unsafeGetGeneratorImpl())->host;
}

}  // namespace standin

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  using namespace standin;
  at::RegisterPrivateUse1HooksInterface(new Hooks());
  m.def("device_count", [] { return int(num_devices()); });
  m.def("current_device", [] { return int(current_device()); });
  m.def("set_device", [](int device) { Guard().setDevice({KIND, static_cast<c10::DeviceIndex>(device)}); });
  m.def("manual_seed", [](int device, uint64_t seed) {
    at::Generator generator = default_generator(static_cast<c10::DeviceIndex>(device));
    generator.set_current_seed(seed);
  });
  m.def("default_generator", [](int device) { return default_generator(static_cast<c10::DeviceIndex>(device)); });
  m.def("counters", [](int device) {
    Counters& counted = counters(static_cast<c10::DeviceIndex>(device));
    py::dict found;
    found["live_bytes"] = counted.live_bytes.load();
    found["peak_bytes"] = counted.peak_bytes.load();
    found["launches"] = counted.launches.load();
    found["host_reads"] = counted.host_reads.load();
    found["bytes_to_device"] = counted.bytes_to_device.load();
    found["bytes_beside"] = counted.bytes_beside.load();
    found["bytes_to_host"] = counted.bytes_to_host.load();
    return found;
  });
  m.def("memory_info", [](int device) {
    long limit = limit_bytes, live = counters(static_cast<c10::DeviceIndex>(device)).live_bytes;
    long total = limit >= 0 ? limit : sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    return std::make_pair(std::max(0L, total - live), total);
  });
  m.def("reset_peak", [](int device) {
    Counters& counted = counters(static_cast<c10::DeviceIndex>(device));
    counted.peak_bytes = counted.live_bytes.load();
  });
  m.def("set_device_count", [](int number) { count = std::min(number, MAX_DEVICES); });
  m.def("set_limit_bytes", [](long num_bytes) { limit_bytes = num_bytes; });
  m.def("lose_after_launches", [](long launches) {
    all_launches = 0;
    lost_after_launches = launches;
  });
}
