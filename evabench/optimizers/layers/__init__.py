"""What a model has for an optimizer: layers, weights, the rest."""
