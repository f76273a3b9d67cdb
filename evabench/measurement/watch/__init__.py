"""What is watched beside a training run: equal conditions are checked, and not assumed."""
