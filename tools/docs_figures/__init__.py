"""Every figure of the documents that rests on committed runs, computed again: `python -m tools.docs_figures`."""
