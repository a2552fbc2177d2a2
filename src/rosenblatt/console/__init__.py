"""What the command line does and shows; `rosenblatt.cli` only reads the arguments."""
