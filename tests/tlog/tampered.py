"""Changes a log in files, one thing at a time, and asks verify.py of each: every change must be refused.

    tampered.py FOLDER
"""

import contextlib
import io
import sys
from pathlib import Path

import verify


def refused(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            verify.verify(folder)
        except (verify.Refused, ValueError, OSError) as why:
            return str(why) or type(why).__name__
    return None


def main(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    # A partial tile that the larger tree no longer asks for is nobody's to check.
    size = 70_000
    asked = {f"tile/entries/{path}" for path, _ in verify.tiles(size, 0)}
    asked |= {f"tile/{level}/{path}" for level in range(3) for path, _ in verify.tiles(size, level)}
    tried = 0
    chosen = [path for path in files if not path.is_relative_to(folder / "tile")]
    wanted = [path for path in files if str(path.relative_to(folder)) in asked]
    # The whole log is computed for each change: the ends of every level, and one in ninety between.
    chosen += wanted[::90] + wanted[-3:]
    for path in chosen:
        before = path.read_bytes()
        places = {0, len(before) // 2, len(before) - 1}
        for name, after in [(f"bit {n}", before[:n] + bytes([before[n] ^ 1]) + before[n + 1 :]) for n in places] + [
            ("cut", before[:-1]),
            ("longer", before + b"\0"),
        ]:
            if path.suffix == ".vkey" and after.strip() == before.strip():
                continue
            path.write_bytes(after)
            why = refused(folder)
            path.write_bytes(before)
            if why is None:
                sys.exit(f"not refused: {path.relative_to(folder)}, {name}")
            tried += 1
        path.rename(path.with_suffix(".away"))
        why = refused(folder)
        path.with_suffix(".away").rename(path)
        if why is None and path.name != "checkpoint.earlier":
            sys.exit(f"not refused: {path.relative_to(folder)} is missing")
        tried += 1
    if refused(folder) is not None:
        sys.exit("what was put back is refused")
    print(f"{tried} changes, each refused")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
