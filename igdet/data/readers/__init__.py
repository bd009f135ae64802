"""Readers of data sets: from files on the disk to records."""
