"""What drives an interface: drivers, wrappers that hold any driver, and the tests that every driver must pass."""
