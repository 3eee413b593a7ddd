"""A page on which a restorer colors a film, shot by shot.

All of it is the film's plan and project; the command line makes the same film of them.

    session.py    the project: its plan as it is, every change saved before it is told
    changes.py    what the page may ask for, as changes of a plan
    journal.py    what was changed, so that it can be taken back
    editor.py     frames that are away in a picture editor, and come back
    frames.py     the frames of the film to come, kept and made ahead
    playing.py    small pictures, to be played
    alone.py      frames colored by themselves, while their shot is made
    needs.py      what looks wrong in a shot; of samples.py, found and kept by needs_kept.py
    delivery.py   the film made in a process of its own
    guard.py      who may ask, and for how much
    server.py     the addresses; page.html, desk.css and the modules of JavaScript are the page
"""
