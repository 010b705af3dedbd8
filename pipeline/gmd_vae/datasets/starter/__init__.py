"""The starter set: drum grooves that come with gmd-vae, written as MIDI files.

In: ``grooves.txt``, drum grooves in step notation, and a seed. Out: a folder in the layout of the Groove
MIDI Dataset. Read ``grooves.txt`` first: its head explains the notation.

- ``grooves.txt``: the grooves.
- ``notation.py``: parser of the step notation.
- ``player.py``: grooves played with variations, human velocities and timing.
- ``starter_set.py``: the folder with MIDI files, ``info.csv`` and manifest.
"""
