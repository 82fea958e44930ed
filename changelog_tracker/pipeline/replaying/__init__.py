"""`replay`: from two states of a server to a plan, and from the plan to its files."""
