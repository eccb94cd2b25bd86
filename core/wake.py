"""A wake-up that can be waited for with patience: look at once when told to, else at the next poll."""

import asyncio


class Wake:
    """Set by whoever has news, waited for by one loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """There is something to do now."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return when set, or after `seconds`, whichever is first."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
