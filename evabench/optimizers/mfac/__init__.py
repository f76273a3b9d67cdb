"""M-FAC: a window of gradients."""
