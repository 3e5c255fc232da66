"""The proof of life: a database under load, a snapshot of its disk, and a verdict on the copy."""
