"""Is what was read all there and unharmed?"""
