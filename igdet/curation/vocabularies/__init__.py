"""From labels to a vocabulary: recipes, and the label space that fits a target task."""
