"""What people and other systems touch: the command line and the HTTP intake."""
