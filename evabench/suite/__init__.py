"""A suite: a TOML file that says what is measured."""
