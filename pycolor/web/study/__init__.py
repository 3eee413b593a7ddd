"""The user studies of the papers, as a page on this machine.

"Does this look natural to you?" is asked by Iizuka et al. 2016 (section 4.3), "Which one is
real?" by Zhang et al. 2016 (section 3.1).

    design.py    which pictures are shown, in which order
    answers.py   what was answered: a CSV that grows line by line
    results.py   medians, shares and their intervals
    server.py    the page (page.html) and its pictures, shown by `web.local_server`
"""
