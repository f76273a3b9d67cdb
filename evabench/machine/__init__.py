"""What this machine is, what it was doing, and which code lies on it; parent side."""
