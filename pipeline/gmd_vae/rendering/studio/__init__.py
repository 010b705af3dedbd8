"""The studio: one HTML file with a model inside, to play with in a browser without a network.

In: a trained model of drum labels. Out: ``studio.html``. Read ``page.py`` first.

- ``page.py``: joins the scripts, fills the template and writes the page.
- ``model_data.py``: packs a model for the page, with weights of 16 bits.
- ``engine/``: the model in JavaScript, a port of ``models/forward``; a page runs it in a worker.
- ``app/``: grid, player, MIDI and WAV files, pad and state of the page.
- ``page.html.j2``, ``page.css``: template and style sheet.
"""
