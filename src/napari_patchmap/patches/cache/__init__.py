"""The cache of decoded patches, kept on disk and shared by all runs.

Images that are costly to decode are decoded once and read from here ever after.
:mod:`cached` wraps such images, :mod:`store` is the file in which they and the images of
folders lie, :mod:`building` how a store comes to be and makes room, :mod:`cache_folder` where
the cache lies and what in it is ours, :mod:`fingerprint` how files are known to be those of
last time.
"""
