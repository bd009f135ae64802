"""The report of a curation: one self-contained HTML page."""

from igdet.curation.report.page import write_report

__all__ = ["write_report"]
