"""One DiskSnapshot: rules that decide, and steps that act."""
