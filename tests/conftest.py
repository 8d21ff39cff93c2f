"""Its presence puts this folder on the path, so that tests in the folders below import the kits beside it."""
