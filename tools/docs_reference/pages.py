"""Which pages are generated, and where they lie."""

import re
from collections.abc import Mapping
from pathlib import Path

from tools.docs_reference.command_line import command_line_page
from tools.docs_reference.data_format import data_format_page
from tools.docs_reference.exit_codes import exit_codes_page
from tools.docs_reference.settings import settings_page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
COMMAND = "python -m tools.docs_reference"


def pages() -> Mapping[str, str]:
    """Return the text of each page, by its name in the folder."""
    made = {
        "command-line.md": command_line_page(),
        "settings.md": settings_page(),
        "exit-codes.md": exit_codes_page(),
        "data-format.md": data_format_page(),
    }
    return {name: re.sub(r"\n{3,}", "\n\n", text) for name, text in made.items()}
