"""A run as one page: a single HTML file with its beats, its curves and its figures, for people to open and share."""
