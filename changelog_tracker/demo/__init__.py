"""The sample server and its story, for `changelog-tracker demo`."""
