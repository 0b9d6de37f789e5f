"""What can go wrong with memory. Each says where the memory was taken, for that is where the mistake is looked for."""


class MbufError(Exception):
    """A mistake in the use of mbufs."""


class Leak(MbufError):
    """Memory that nobody gave back."""


class UseAfterFree(MbufError):
    """A packet was used that had been freed, or handed to another."""


class DoubleFree(UseAfterFree):
    """A packet was freed that had been freed."""


class Shared(MbufError):
    """Bytes were to be written that another packet holds too."""


class Escaped(MbufError):
    """An ephemeral mbuf was kept beyond the call that it was lent to."""


class NoBuffers(MbufError):
    """The pool's limit is reached (ENOBUFS), or a fixed room for tags is full."""
