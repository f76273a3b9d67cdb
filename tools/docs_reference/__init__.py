"""The generated pages of the documentation: `python -m tools.docs_reference` writes them, a test compares them."""
