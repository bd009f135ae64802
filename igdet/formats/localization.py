"""What an evaluation says of a detector's errors: the kinds that metrics are named after, and a file.

docs/LOCALISATION.md defines the kinds.
"""

# In results.json: "errors-KIND" (counts) and "dAP-KIND" (points of AP50 that fixing the kind would gain).
ERROR_KINDS = ("classification", "localisation", "both", "duplicate", "background", "missed")
# In results.json: "keypoints-KIND", a share in percent.
KEYPOINT_KINDS = ("good", "jitter", "inversion", "swap", "miss")
# Beside results.json: task -> "confusions", (class, taken for, times); and "images", image id -> its own AP.
DETAILS = "localisation.json"
OLD_IMAGES = "pictures"  # what igdet 0.1 called "images" in there
