"""NVIDIA's management library, without torch and without a CUDA context: parent and child both ask it."""
