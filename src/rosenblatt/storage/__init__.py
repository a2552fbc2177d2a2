"""How models get onto the disk and back: a container without code, an atomic writer, and estimators as plain data.

`rosenblatt.files` is the public face.
"""
