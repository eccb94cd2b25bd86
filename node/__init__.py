"""One node, built by hand: every object of the product, where it is made and who is given whom.

Read `rooms.py` first: the rooms in the order in which they are made and wired. Each has its own file
with a class whose `__init__` makes the services and whose `wire` says whom they hear and when they
tick. `web.py` hands them to the console, `names.py` gives some of them short names, `node.py` starts
and stops it all.
"""

from node.node import Node

__all__ = ["Node"]
