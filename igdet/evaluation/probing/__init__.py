"""Protocols on frozen features: linear probe, k-shot, nearest neighbours; docs/PROTOCOLS.md states every choice."""
