"""Knowledge: what the hotline answers by, who is responsible for it, and how it is found and put right.

`service` writes articles and their approval, `index` and `search` find them, `tasks` and `gaps` are what
people miss or find wrong, `banners` is the wording for an emergency, `uses` keeps what was answered by.
"""
