"""The Asterisk configuration we ship: templates in conf/, one site's values, and what fills them in."""
