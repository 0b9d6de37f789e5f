"""Sources of records on a real kernel: the tracer, captures, and what joins them to journeys."""
