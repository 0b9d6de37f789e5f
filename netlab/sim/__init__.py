"""Virtual time: the event loop, random streams, links, cores and locks. Nothing here knows a protocol."""
