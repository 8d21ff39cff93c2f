"""The live page: what a session knows, in a browser; knows nothing of how a film is made."""
