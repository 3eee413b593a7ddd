"""Bitstreams of codecs: what their headers and check words say that a decoder does not report."""
