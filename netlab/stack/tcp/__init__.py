"""TCP as plain objects: handed segments and time, they give back actions and their next deadline (RFC 9293)."""
