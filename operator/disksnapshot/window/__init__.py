"""The process that holds writers still: it takes locks, cuts, lets go, and answers with facts."""
