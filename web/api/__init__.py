"""Integration API v1: what an operation takes and gives (`contract.py`), its description made from that."""
