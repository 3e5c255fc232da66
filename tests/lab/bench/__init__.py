"""Programs that measure one thing of an operator's build; which build, PYTHONPATH decides."""
