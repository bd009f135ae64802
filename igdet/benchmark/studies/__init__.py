"""Studies: suites with axes, from the results of their runs to curves, fits and verdicts."""
