"""Plays packetdrill scripts against our TCP, in virtual time.

The language is Google's (packetdrill) with what FreeBSD's suite adds. A script says at what time a program calls what,
which packets then must leave, and which arrive. What cannot be played here is refused by name, never passed over.
"""
