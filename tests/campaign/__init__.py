"""A campaign of faults against the operator's own code: one at each numbered external effect."""
