"""The report of a run: what it says, as blocks (:mod:`run_report`), and one file a writer."""
