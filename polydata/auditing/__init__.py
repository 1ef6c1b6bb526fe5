"""What is wrong with labelled images and with splits of them, one detector a module."""
