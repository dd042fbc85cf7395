"""MIDI in and out, and to the ear."""
