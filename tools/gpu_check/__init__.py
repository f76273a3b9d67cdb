"""`make gpu-check`: what `docs/gpu.md` leaves open, each as a check that answers with its figure and its rule."""
