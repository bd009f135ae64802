"""The commands: one module each, a command line around what the package does; nothing imports them."""
