"""Run folders as one self-contained HTML file, and as the tables and the sentence in it."""

from gatelab.report.page import write_report

__all__ = ["write_report"]
