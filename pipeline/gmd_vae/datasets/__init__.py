"""MIDI files from outside: the Groove MIDI Dataset, the starter set, the user's folders and archives.

In: a dataset's name, a folder, an archive or a MIDI file. Out: folders with MIDI files and ``info.csv``
(``fetch``), and a listing of MIDI files that can be read one by one (``convert``). Nothing here interprets
MIDI bytes. Read ``midi_files.py`` first.

- ``midi_files.py``: the MIDI files of a folder or an archive, in a fixed order.
- ``midi_formats.py``: MIDI files recognised by their first bytes.
- ``catalogue.py``: catalogues such as ``info.csv`` parsed, and the names of the splits.
- ``selection.py``: selections of recordings from the catalogue, for the options of ``convert``.
- ``archives.py``: listings of archives, and files read from them in place.
- ``zip_files.py``: the directory of a zip archive.
- ``forward_reader.py``: the bounded stream that ``tarfile`` reads.
- ``unpack.py``: zip archives unpacked into a folder.
- ``safe_names.py``: names from outside as paths.
- ``groove.py``: ``fetch groove``.
- ``fetched.py``: the dataset that ``fetch`` wrote into a folder: its licence, and which files are of it.
- ``known_source.py``: the dataset of a folder, an archive or a file that is converted.
- ``download.py``: downloads of known size and SHA-256.
- ``starter/``: ``fetch starter``, the built-in grooves.
"""
