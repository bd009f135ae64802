"""The synthetic world: pictures of simple things, with hashtags, clean labels, boxes, masks and keypoints."""
