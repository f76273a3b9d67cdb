"""What every optimizer has around its mathematics."""
