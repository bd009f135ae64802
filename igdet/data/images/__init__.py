"""Image files to the pixels that a network takes."""
