"""How well is it colored?  Pictures and films beside their true colors, in numbers and to look at.

pairs.py      what is compared with what
stills.py     photographs, greyed and colored by a model, or colored by anything
frames.py     the frames of a film as RGB
films.py      films: frames as pictures, and color over time
metrics/      one picture or film beside its truth, in numbers
reports/      distributions, JSON, tables, sheets of pictures, plots
run.py        all of it
"""
