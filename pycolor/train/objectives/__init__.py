"""The training objective of each model.

The loop knows an objective by the interface in `objective` alone; `choice.objective_for` chooses
one for a network, `zhang2016` has the plain ones, and the other files are named after the models
that are trained for more than those.
"""
