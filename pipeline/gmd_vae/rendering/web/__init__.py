"""Parts that the pages have in common: drum kit, sound, and text that is safe in HTML.

In: the kit of ``rendering.kit``, and any content. Out: encoded strokes, scripts and JSON for ``<script>`` elements, and
the content security policy. Read ``html.py`` first.

- ``html.py``: joins scripts, escapes JSON, and writes the policy under which a page runs its own scripts only.
- ``document.html.j2``: head and scripts of every page, whose templates fill its blocks.
- ``kit_samples.py``: encodes one stroke of each voice.
- ``sound.js``: the kit in the browser, live and offline, with its limiter and the timer of the player.
- ``player.js``: schedules music by the audio clock, and shows what is audible.
- ``picture.js``: draws music as a grid of hits.
- ``files.js``, ``wav_file.js``, ``zip_file.js``: files that a page makes: their names, sound that loops, and archives.
- ``elements.js``: finds elements of the page by selector and class.
- ``colours.css``, ``base.css``, ``grid.css``: the colours of all pages, light and dark, and the style of what they have
  in common, such as the pictures of beats.
"""
