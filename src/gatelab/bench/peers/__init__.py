"""Who is measured: gatelab, and what else trains such networks on a CPU. One file a way of doing it."""

from gatelab.bench.peers.registry import PEERS, Peer, Step, find

__all__ = ["PEERS", "Peer", "Step", "find"]
