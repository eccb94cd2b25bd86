"""So much of an IMAP server as a reader of a mailbox needs; several letters, one box, one password."""

import asyncio
import re
from types import TracebackType

PASSWORD = "imap-password"


class ImapDouble:
    """Listens on a free port. `letters`: number → bytes; `flags`: what was stored for each."""

    def __init__(self) -> None:
        self.letters: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    def post(self, raw: bytes) -> int:
        number = len(self.letters) + 1
        self.letters[number], self.flags[number] = raw, set()
        return number

    async def __aenter__(self) -> "ImapDouble":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().strip():
            tag, _, order = line.partition(" ")
            lines, status = self._do(order)
            for one in lines:
                writer.write(one + b"\r\n")
            writer.write(f"{tag} {status}\r\n".encode())
            await writer.drain()
            if order.startswith("LOGOUT"):
                break
        writer.close()

    def _do(self, order: str) -> tuple[list[bytes], str]:
        if order.startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1"], "OK done"
        if order.startswith("LOGIN"):
            return [], "OK done" if PASSWORD in order else "NO wrong password"
        if order.startswith("SELECT"):
            return (
                ([f"* {len(self.letters)} EXISTS".encode()], "OK done")
                if "INBOX" in order
                else ([], "NO none")
            )
        if order.startswith("UID SEARCH"):
            unseen = [str(number) for number, flags in self.flags.items() if "\\Seen" not in flags]
            return [("* SEARCH " + " ".join(unseen)).strip().encode()], "OK done"
        if found := re.match(r"UID FETCH (\d+) \((RFC822\.SIZE|BODY\.PEEK\[\])\)", order):
            number = int(found[1])
            raw = self.letters[number]
            if found[2] == "RFC822.SIZE":
                return [f"* {number} FETCH (UID {number} RFC822.SIZE {len(raw)})".encode()], "OK done"
            head = f"* {number} FETCH (UID {number} BODY[] {{{len(raw)}}}".encode()
            return [head + b"\r\n" + raw + b")"], "OK done"
        if found := re.match(r"UID STORE (\d+) \+FLAGS \((.*)\)", order):
            self.flags[int(found[1])] |= set(found[2].split())
            return [], "OK done"
        return [], "OK bye" if order.startswith("LOGOUT") else "BAD what"
