"""The mysql step: sessions, rights, what stands in a lock's way, the lock itself, its proof."""
