"""Where stages run: the processes of this machine, or the workers of a Dask cluster."""
