"""What is measured in frames: how alike two of them are, and how much there is to see in one."""
