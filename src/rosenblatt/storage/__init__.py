"""How models get onto the disk and back: a container without code, an atomic writer, networks and estimators as data.

`rosenblatt.persistence.save_load` is the public face.
"""
