"""What each way to hold saves, engine by engine, told from copies that were restored."""
