"""Shows that the page checks fail when they must."""

import tempfile
import unittest
from pathlib import Path

import check


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def faults(self, verify):
        return [fault for _, fault in verify(self.root) if fault]


class Links(Tree):
    def test_what_is_there_is_found(self):
        self.write("docs/a.md", "# The `first` heading\n\n# Twice\n\n# Twice\n")
        self.write("README.md", "[a](docs/a.md) [b](docs/a.md#the-first-heading) [c](docs) [d](docs/a.md#twice-1)\n")
        self.assertEqual(len(list(check.links(self.root))), 4)
        self.assertEqual(self.faults(check.links), [])

    def test_what_is_not_there_is_a_fault(self):
        self.write("docs/a.md", "# One\n")
        for target in ["docs/b.md", "docs/a.md#two", "#two", "../elsewhere.md", "/etc/passwd"]:
            self.write("README.md", f"see [this]({target})\n")
            self.assertEqual(len(self.faults(check.links)), 1, target)
            self.write("README.md", f"[this]: {target}\n")
            self.assertEqual(len(self.faults(check.links)), 1, target)

    def test_code_and_other_hosts_are_no_links_of_ours(self):
        self.write("README.md", "`[a](b.md)` [c](https://example.org/x)\n```\n[a](b.md)\n```\n")
        self.assertEqual(list(check.links(self.root)), [])


class Threats(Tree):
    def table(self, **states):
        rows = [f"| {n} | attack | {states.get(f'r{n}', 'not yet: comes with sharing')} |" for n in check.ROWS]
        self.write(check.THREATS, "\n".join(rows) + "\n")

    def test_states_that_hold(self):
        self.write("x/src/lib.rs", "#[test]\nfn attack_one() {}\n#[tokio::test]\nasync fn attack_two() {}\n#[test]\npub(crate) fn attack_three() {}\n")
        self.table(
            r1="covered by `attack_one`", r2="in part by `attack_two`; not yet: comes with sharing", r3="covered by `attack_three`"
        )
        self.assertEqual(self.faults(check.threats), [])

    def test_a_name_in_a_list_of_scenarios_is_a_test(self):
        self.write("x/tests/evil/main.rs", "scenarios! {\n    attack_one\n    attack_two\n}\n\nattack_three\n")
        self.table(r1="covered by `attack_one`, `attack_two`")
        self.assertEqual(self.faults(check.threats), [])
        self.table(r1="covered by `attack_three`")
        self.assertEqual(len(self.faults(check.threats)), 1)

    def test_states_that_do_not_hold(self):
        self.write("x/src/lib.rs", "#[test]\nfn attack_one() {}\nfn helper() {}\n")
        for state in ["covered by `attack_two`", "covered by `helper`", "covered by care", "done", "", "in part by `attack_one`"]:
            self.table(r7=state)
            self.assertEqual(len(self.faults(check.threats)), 1, state)

    def test_a_row_missing_or_twice(self):
        self.table()
        page = self.root / check.THREATS
        rows = page.read_text(encoding="utf-8").splitlines()
        for bad in [rows[1:], rows + rows[-1:], []]:
            page.write_text("\n".join(bad), encoding="utf-8")
            self.assertEqual(len(self.faults(check.threats)), 1)
        page.unlink()
        self.assertEqual(len(self.faults(check.threats)), 1)


if __name__ == "__main__":
    unittest.main()
