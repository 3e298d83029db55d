"""The tab "Find": a box for each search."""
