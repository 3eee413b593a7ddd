"""How well is it colored?  Pictures and films beside their true colors, in numbers and to look at.

pairs.py      what is compared with what
stills.py     photographs, greyed and colored by a model, or colored by anything
frames.py     the frames of a film as RGB
films.py      films: frames as pictures, and color over time
measures.py   one picture beside its truth
report.py     distributions, JSON, tables
sheets.py     best, median and worst, side by side
plots.py      the distributions drawn
run.py        all of it
"""
