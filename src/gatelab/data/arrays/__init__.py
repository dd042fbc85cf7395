"""Labelled arrays: .npz and .ts files."""
