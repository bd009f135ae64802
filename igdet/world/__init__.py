"""The synthetic world: images of simple things, with hashtags, clean labels, boxes, masks, keypoints and label maps."""
