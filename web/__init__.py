"""The console: aiohttp application, live hub, one view module per screen."""
