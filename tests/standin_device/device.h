// A stand-in accelerator for tests: what its devices have been given, and what they count.
#pragma once
#include <ATen/core/Generator.h>
#include <c10/core/Allocator.h>
#include <c10/core/Device.h>
#include <atomic>

namespace standin {

constexpr auto KIND = c10::DeviceType::PrivateUse1;
constexpr int MAX_DEVICES = 4;

// Of one device; the host sees all of them at any time.
struct Counters {
  std::atomic<long> live_bytes{0}, peak_bytes{0};
  std::atomic<long> launches{0};    // operators that compute
  std::atomic<long> host_reads{0};  // copies to the host, a single number included
  std::atomic<long> bytes_to_device{0}, bytes_to_host{0};
  std::atomic<long> bytes_beside{0};  // of those to the device, on a stream of their own
};

Counters& counters(c10::DeviceIndex device);
c10::DeviceIndex num_devices();
c10::DeviceIndex current_device();
bool is_default_stream(c10::DeviceIndex device);  // whether the present stream is the one that computes
void check_device(c10::DeviceIndex device);  // raises for one that is not there, or no longer
void count_launch(c10::DeviceIndex device);  // the device may be lost with it
c10::Allocator* allocator();
const at::Generator& default_generator(c10::DeviceIndex device);
at::Generator host_generator(const at::Generator& generator);  // the CPU's own that draws for it

}  // namespace standin
