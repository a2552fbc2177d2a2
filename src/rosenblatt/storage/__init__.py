"""The file format, at the bottom: a container without code, values as JSON, an atomic writer.

`rosenblatt.persistence` turns models into it and back.
"""
