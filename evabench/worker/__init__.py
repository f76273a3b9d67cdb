"""The processes that train and measure; child side."""
