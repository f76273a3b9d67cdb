"""What an update consists of."""
