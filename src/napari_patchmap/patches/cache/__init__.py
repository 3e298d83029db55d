"""The cache of decoded patches, kept on disk and shared by all runs.

Images that are costly to decode are decoded once and read from here ever after.
Start with :mod:`cached`, which wraps such images; :mod:`folder` is where the cache
lies and what it may take, :mod:`store` the files in it, :mod:`fingerprint` how files
are known to be those of last time.
"""
