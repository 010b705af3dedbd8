"""One thin module per command: options in, one library call, a summary (or JSON) out."""
