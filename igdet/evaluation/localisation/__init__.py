"""What kind of errors a detector makes: placing, naming, finding; pure functions on COCO JSON."""
