"""The program and its server are killed, cut off and raced, at every point of a run."""
