"""Pen trajectories with what they spell."""
