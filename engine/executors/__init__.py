"""Where work is done: the executors, one file each."""
