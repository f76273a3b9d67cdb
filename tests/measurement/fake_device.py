"""A fake device: a queue of work that takes exact times, and events in it."""

from evabench.measurement.timing.device_clock import DeviceClock, DeviceMarks

MILLISECOND = 1_000_000


class FakeDevice:
    """The host needs `host_ms` to queue a step, the device `device_ms` to do it; both clocks are nanoseconds."""

    def __init__(self, *, host_ms, device_ms=(), drift=1.0):
        self.host_ms, self.device_ms, self.drift = host_ms, device_ms, drift
        self.host = self.device = self.awaited = self.num_synchronised = self.num_steps = 0

    def work(self, milliseconds):
        """Queue something that takes so long on the device."""
        self.host += round(self.host_ms * MILLISECOND)
        self.device = max(self.device, self.host) + round(milliseconds * MILLISECOND)

    def step(self):
        self.work(self.device_ms[self.num_steps % len(self.device_ms)])
        self.num_steps += 1

    def synchronize(self):
        self.num_synchronised += 1
        self.host = self.awaited = max(self.host, self.device)

    def new_event(self):
        return FakeEvent(self)

    @property
    def clock(self):
        return DeviceClock(new_event=self.new_event, synchronize=self.synchronize, now=lambda: self.host)

    @property
    def marks(self):
        return DeviceMarks(new_event=self.new_event, synchronize=self.synchronize)


class FakeEvent:
    """As torch's: it cannot be asked before the device was there, nor before it was recorded."""

    def __init__(self, device):
        self._device = device

    def record(self):
        self.stamp = max(self._device.device, self._device.host)

    def elapsed_time(self, end_event):
        if self._device.awaited < end_event.stamp:
            raise RuntimeError("both events must be completed before calculating elapsed time")
        return (end_event.stamp - self.stamp) / MILLISECOND * self._device.drift
