"""A second reader of CaseVault's vaults, written from docs/format.md alone.

It shares no code, no library and no language with the first one. Section numbers in these files (§) are those of that
page. It only reads: it repairs nothing, writes nothing into a vault and logs nothing there, so it is a check and a last
resort, not a way to work.
"""
