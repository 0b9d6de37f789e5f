"""Our stack on real interfaces: a process in a node's network namespace, fed by AF_PACKET."""
