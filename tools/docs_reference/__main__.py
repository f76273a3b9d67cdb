"""Write the generated pages into `docs/reference/`."""

from tools.docs_reference.pages import FOLDER, pages


def main() -> None:
    """Write every page, and say which have changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        changed = not path.exists() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        print(f"{path}: {'written' if changed else 'as it was'}")


if __name__ == "__main__":
    main()
