"""What a detector gets wrong: naming, placing, finding; where the keypoints of each body part go."""
