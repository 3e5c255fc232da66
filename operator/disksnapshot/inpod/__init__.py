"""Programs that run inside pods: standard library only, nothing of ours imported."""
