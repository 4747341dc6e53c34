"""Changes evidence that holds, in every way that there is, and expects each change to be refused.

    tampered.py FILE…

Each byte of each file with each of its bits flipped, one at a time, but for those whose change leaves the JSON's meaning as
it was; the two checkpoints the other way round; one of them twice; another log's key.
"""

import json
import sys

from verify import Refused, verify

ZERO = "A" * 43 + "="


def refused(log, raw):
    try:
        verify(log, raw)
        return False
    except (Refused, ValueError, KeyError, TypeError, AttributeError):
        return True


def proves_the_same(raw, changed):
    """Whether a change is of what nothing depends on: the words for people, and white space."""
    try:
        before, after = json.loads(raw), json.loads(changed)
    except ValueError:
        return False
    if isinstance(after, dict):
        after["says"] = before["says"]
    return before == after


def proofs(evidence):
    """Where the proofs stand in evidence of either kind."""
    if "consistency_proof" in evidence:
        return [(evidence, "consistency_proof")]
    return [(evidence[one], "inclusion_proof") for one in ("first", "second")]


def main(files):
    tried = 0
    for path in files:
        with open(path, "rb") as file:
            raw = file.read()
        evidence = json.loads(raw)
        log = evidence["log"]
        verify(log, raw)
        for at in range(len(raw)):
            for bit in range(8):
                changed = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
                if not proves_the_same(raw, changed):
                    tried += 1
                    if not refused(log, changed):
                        sys.exit(f"{path}: bit {bit} of byte {at} was changed, and it was taken")
        swapped = {**evidence, "first": evidence["second"], "second": evidence["first"]}
        twice = {**evidence, "second": evidence["first"]}
        forged = [swapped, twice]
        for holder, name in proofs(evidence):
            proof = holder[name]
            # Of a tree of one leaf there is no hash to be taken away, and any is too many.
            changes = [proof + [proof[0] if proof else ZERO]] + ([proof[:-1]] if proof else [])
            for other in changes:
                holder[name] = other
                forged.append(json.loads(json.dumps(evidence)))
            holder[name] = proof
        for other in forged:
            tried += 1
            if not refused(log, json.dumps(other).encode()):
                sys.exit(f"{path}: taken: {other}")
    if not tried:
        sys.exit("nothing was tried")
    print(f"refused: {tried} changes of {len(files)} files of evidence")


if __name__ == "__main__":
    main(sys.argv[1:])
