"""Drawn, never written by hand: a cell's equations, and one file a figure.

A figure is an Altair chart, which is data: it can be tested without drawing.
"""
