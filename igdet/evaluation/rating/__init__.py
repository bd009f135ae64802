"""Accuracy after raters have looked at the disagreements between labels and predictions."""
