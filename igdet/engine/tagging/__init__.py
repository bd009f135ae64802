"""Using a hashtag head: hashtags of images, calibrated probabilities, classes of a target without training on it."""
