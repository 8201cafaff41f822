"""One static page that asks people about a sample of a data set: `write_study`.

`assignment.py` who is shown what, `assembly.py` the file; `page/` has the page itself. `analysis/study/` scores
answers.
"""

from distortlab.visualization.study.assembly import StudySummary, write_study

__all__ = ["StudySummary", "write_study"]
