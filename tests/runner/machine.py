"""A machine made of files."""


def machine(root, files):
    """Write files under a root, and return the root."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
