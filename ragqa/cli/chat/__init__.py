"""`ragqa chat`: questions that follow on each other, in a terminal or from a pipe."""
