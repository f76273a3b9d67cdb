"""Print where a document says something else than the committed runs; the exit code is 1 then."""

import sys

from tools.docs_figures.all_pages import everything
from tools.docs_figures.page import mistakes

if __name__ == "__main__":
    computed = list(everything())
    found = [mistake for one in computed for mistake in mistakes(one)]
    print("\n".join(found) or f"All {len(computed)} tables and sentences are as computed.")
    sys.exit(bool(found))
