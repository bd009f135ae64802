"""From hashtags to labels."""
