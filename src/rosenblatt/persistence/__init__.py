"""Models as files, and back; the format itself is in `rosenblatt.storage`."""
