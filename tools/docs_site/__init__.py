"""What the build of the documentation checks beyond its own."""
