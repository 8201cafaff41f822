"""One static page that shows a sample of a data set: `write_page`.

`packing.py` pixels, `entries.py` what is written beside them, `assembly.py` the file; `page/` has the page itself: one
HTML file, one style sheet, and scripts that are joined into one.
"""

from distortlab.visualization.viewer.assembly import PageSummary, write_page

__all__ = ["PageSummary", "write_page"]
