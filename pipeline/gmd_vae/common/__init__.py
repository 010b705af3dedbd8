"""Helpers that every room uses. Imports no other room, and no TensorFlow.

Read ``errors.py`` first, then ``files.py`` and ``manifest.py``: they hold the promises that every stage
makes (one-line errors, complete output or none, a record of its origin).

- ``errors.py``: errors that users see, as one line.
- ``system_errors.py``: errors of the operating system as such errors.
- ``extras.py``: the packages that a light installation lacks, and the command that installs them.
- ``files.py``, ``folders.py``: files and folders that appear complete or not at all.
- ``output_folder.py``: the output folder of a command, for one process at a time.
- ``temporary_files.py``: private names beside an output, and what killed processes leave under them.
- ``scratch_folder.py``: folders in the temporary folder of the system; those of killed processes are removed.
- ``exchange.py``: exchange of two folders in one step.
- ``manifest.py``: ``manifest.json``, the record of a folder's origin.
- ``own_files.py``: output files at places that users choose, marked so that only our own are replaced.
- ``process_lock.py``: one process at a time in a folder.
- ``printable.py``: text from files, fit to print, counts with their nouns, durations.
- ``threads.py``: calls that may block for ever.
- ``console.py``: output on stdout and stderr, progress of counts.
- ``progress_line.py``: the line of progress at the bottom of a terminal, below all other output.
- ``plain_console.py``: rich's console, with names shown as they are.
- ``streams.py``: stdout and stderr for any text, read or not.
- ``stop_signals.py``: Ctrl-C, SIGTERM and SIGHUP.
- ``json_formats.py``: JSON files checked against their format on reading.
- ``regular_files.py``: opens regular files only, without waiting.
- ``json_text.py``: JSON without NaN and control codes.
- ``charts.py``: line charts as reproducible PNG files.
- ``machine.py``: processor, memory, disk and GPUs of this machine, and the problems with them.
- ``disk_space.py``: free disk space.
- ``counter_random.py``: random numbers by seed, file and window.
- ``latent_points.py``: points and paths in latent space, in numpy.
- ``temperatures.py``: the usual temperatures of samples.
- ``priors.py``: names of the priors that z is drawn from.
"""
