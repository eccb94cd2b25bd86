"""The same report is the same file, to the byte: what an office package writes, without the hour it did."""

import io
import zipfile
from datetime import datetime

# The clock of a zip archive begins in 1980; a report says itself when it was made.
EPOCH = (1980, 1, 1, 0, 0, 0)
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - office files hold a local time without a zone


def stable(packed: bytes) -> bytes:
    """The same archive with its parts in order of name and no times."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        names = sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name))
    return made.getvalue()
