"""Content Credentials (C2PA): who made the color of an output, of what and how, signed.

The file that knows the c2pa library is `manifest_store`; nothing is fetched from a network, but a
timestamp where one is asked for.
"""
