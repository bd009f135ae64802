"""What larger commands do; imported once their command line has been read, because PyTorch takes seconds."""
