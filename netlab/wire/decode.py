"""A whole frame: layer by layer (`layers`), in one line of words (`describe`), as a key for captures (`flow_key`).

None of these raises, whatever the bytes.
"""

from __future__ import annotations

from netlab.wire.dissect import Layer, layers, malformed
from netlab.wire.flow import five_tuple, flow_hash, flow_key
from netlab.wire.words import describe

__all__ = ["Layer", "describe", "five_tuple", "flow_hash", "flow_key", "layers", "malformed"]
