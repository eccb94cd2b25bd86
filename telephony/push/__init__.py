"""PBXs that tell of their calls by HTTP: three events in the shape of Zammad's generic CTI.

`terms.py` (pure) is what a push may say, `course.py` (pure) what has been said of one call and which
session that is; `service.py` writes it: the same sessions and events as those of Asterisk.
"""
