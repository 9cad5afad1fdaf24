"""Logs of W&B as tests need them: any records, in its own blocks."""

from __future__ import annotations

import struct
import zlib

from nbtrack.interop.wandb.messages import RECORD

BLOCK = 32 * 2**10


def write_log(file, records):
    """A log of these records; the file."""
    body = bytearray(b":W&B\xe1\xbe\0")
    for record in records:
        _append(body, record if isinstance(record, bytes) else RECORD.write(record))
    file.write_bytes(body)
    return file


def _append(body, record):
    is_first, rest = True, record
    while is_first or rest:
        room = BLOCK - len(body) % BLOCK
        if room < 7:
            body += bytes(room)
            room = BLOCK
        part, rest = rest[: room - 7], rest[room - 7 :]
        kind = {(True, False): 1, (True, True): 2, (False, True): 3, (False, False): 4}
        body += chunk(part, kind[is_first, bool(rest)])
        is_first = False


def chunk(part, kind):
    """One part of a record, as it stands in a block."""
    checksum = zlib.crc32(part, zlib.crc32(bytes([kind])))
    return struct.pack("<IHB", checksum, len(part), kind) + part
