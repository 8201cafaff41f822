"""A study with people: what can be shown of a data set, answers as they come back, and what they say about its labels.

`stimuli.py` what can be asked about, `answers.py` files of answers, `scores.py` shares by task, `psychometric.py`
thresholds of visibility, `resampling.py` intervals, `agreement.py` how people agree, `text.py` what is printed. The
page is made in `visualization/study/`.
"""
