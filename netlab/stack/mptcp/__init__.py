"""Multipath TCP, version 1: one stream of bytes over several TCP connections (RFC 8684)."""
