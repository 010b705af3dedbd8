"""Where stages run: the processes of this machine."""
