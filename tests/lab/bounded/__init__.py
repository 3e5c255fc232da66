"""The bound of a hold, row by row: a window is killed or stopped, and writers tell how long."""
