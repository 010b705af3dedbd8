"""gmd-vae: from MIDI drum beats to a trained MusicVAE and back to MIDI.

The rooms follow the data: ``sources`` → ``notes`` → ``examples`` → ``models`` → ``training`` →
``evaluation`` → ``generation`` → ``rendering``; ``engines`` (where work runs) lies before them, and
``inspection`` (what is in music) behind ``examples``. A room imports from the rooms before it, never
from the ones after; ``commands`` may import any room, and no room imports ``commands``.
"""
