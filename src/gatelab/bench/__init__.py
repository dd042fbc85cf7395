"""Speed: workloads, peers, and one runner that verifies each peer before it times it."""
