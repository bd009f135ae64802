"""The benchmark: a matrix of initialisations and targets, run as train_net processes, read back into one report."""
