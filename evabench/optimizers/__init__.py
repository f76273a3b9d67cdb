"""Optimizers that work on any model, as `torch.optim.Optimizer`s."""
