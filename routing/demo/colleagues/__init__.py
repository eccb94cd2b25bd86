"""Simulated colleagues: they do the work of everybody who does not really sit at a browser.

The simulated exchange rings at forty desks; without these, drafts of thirty-nine of them would never
be written. Development with the simulator only. Whoever signs in is left alone with what is his.
"""

from routing.demo.colleagues.service import Colleagues, wanted

__all__ = ["Colleagues", "wanted"]
