"""Checks the project's pages against the tree: relative links resolve, and the threat table tells the truth.

    python3 tests/docs/check.py [ROOT]

Exit 0 and a count, or 1 and one line a fault, as `page:line: what is wrong`.
"""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

THREATS = "docs/threat-model.md"
ROWS = range(1, 59)
# Folders that hold no page and no source of ours.
ELSEWHERE = {".git", "node_modules", "target"}

FENCE = re.compile(r"^\s*(```|~~~)")
CODE_SPAN = re.compile(r"(`+)(?:(?!\1).)*?\1")
# Inline links and images; the target ends at a blank (a title may follow) or the closing bracket.
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^\s)>]+)>?[^)]*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
ROW = re.compile(r"^\|\s*(\d+)\s*\|")
TEST = re.compile(r"`([a-z][a-z0-9_]*)`")


def prose(page):
    """Yields (line number, line) of a page outside its fenced blocks, code spans blanked."""
    fence = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        mark = FENCE.match(line)
        if mark:
            if fence is None:
                fence = mark[1]
            elif fence == mark[1]:
                fence = None
        elif fence is None:
            yield number, line


def anchors(page):
    """Returns the anchors of a page's headings, as GitHub and rustdoc-like renderers make them."""
    seen, found = {}, set()
    for _, line in prose(page):
        heading = HEADING.match(line)
        if not heading:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def pages(root):
    """Returns every page of the project, READMEs of its folders included."""
    found = (page for page in root.rglob("*.md") if not ELSEWHERE & set(page.relative_to(root).parts))
    return sorted(found)


def links(root):
    """Yields (place, fault or None) for each relative link of each page."""
    for page in pages(root):
        for number, line in prose(page):
            line = CODE_SPAN.sub("", line)
            for target in LINK.findall(line) + REFERENCE.findall(line):
                if EXTERNAL.match(target):
                    continue
                place = f"{page.relative_to(root)}:{number}"
                path, _, anchor = unquote(target).partition("#")
                file = (page.parent / path).resolve() if path else page
                if not file.is_relative_to(root):
                    yield place, f"`{target}` leaves the project"
                elif not file.exists():
                    yield place, f"`{target}` does not exist"
                elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                    yield place, f"`{target}` names no heading"
                else:
                    yield place, None


def tests(root):
    """Returns the names of all functions in Rust files that stand under a `test` attribute, in a proptest block, or in a
    `scenarios!` list, which makes a test of each name."""
    names = set()
    for file in root.rglob("*.rs"):
        if ELSEWHERE & set(file.relative_to(root).parts):
            continue
        text = file.read_text(encoding="utf-8")
        names.update(re.findall(r"#\[(?:\w+::)?test(?:\([^)]*\))?\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?fn\s+(\w+)", text))
        for block in re.findall(r"^scenarios! \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE):
            names.update(block.split())
    return names


def threats(root):
    """Yields (place, fault or None) for each row of the threat table: all there, once, and the tests it names exist."""
    page = root / THREATS
    if not page.exists():
        yield THREATS, "is missing"
        return
    known, seen = tests(root), []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        place = f"{THREATS}:{number}"
        seen.append(int(row[1]))
        state = line.rstrip().rstrip("|").rsplit("|", 1)[-1].strip()
        # Only what stands before "not yet" claims to be covered.
        covered, _, missing = state.partition("not yet: comes with ")
        named = TEST.findall(covered)
        if not covered and not missing:
            yield place, f"row {row[1]} has no state"
        elif covered and not (covered.startswith("covered by ") or covered.startswith("in part by ")):
            yield place, f"row {row[1]}: the state is neither `covered by`, `in part by` nor `not yet: comes with`"
        elif covered.startswith("in part by ") and not missing:
            yield place, f"row {row[1]} is covered in part, and does not say what comes with what"
        elif covered and not named:
            yield place, f"row {row[1]} names no test"
        elif unknown := [name for name in named if name not in known]:
            yield place, f"row {row[1]} names `{unknown[0]}`, and there is no such test"
        else:
            yield place, None
    if seen != list(ROWS):
        yield THREATS, f"rows are not 1 to {ROWS[-1]}, each once and in order: {sorted(set(ROWS) ^ set(seen)) or seen}"


def main(root):
    checks = [*links(root), *threats(root)]
    faults = [f"{place}: {fault}" for place, fault in checks if fault]
    for fault in faults:
        print(fault)
    print(f"pages: {len(checks)} links and rows checked, {len(faults)} at fault")
    return 1 if faults else 0


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[2]
    sys.exit(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else default))
