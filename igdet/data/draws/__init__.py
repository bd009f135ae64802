"""Which record each draw of the training takes: resampling, orders, exact resuming."""
