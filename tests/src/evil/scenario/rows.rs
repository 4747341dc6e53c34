//! The rows of attacks that no scenario plays, and why.

/// Row and reason, by row.
pub const NOT_YET: &[(u8, &str)] = &[
    (
        2,
        "played on what a client believes of keys, in vault-core's attack_members",
    ),
    (7, "cases are shared with grants; played in vault-core's attack_members"),
    (8, "cases are shared with grants; played in vault-core's attack_members"),
    (9, "cases are shared with grants; played in vault-core's attack_members"),
    (
        10,
        "cases are shared with grants; played in vault-core's attack_members",
    ),
    (
        11,
        "cases are shared with grants; played in vault-core's attack_members",
    ),
    (
        12,
        "cases are shared with grants; played in vault-core's attack_members",
    ),
    (15, "a record has no parts to be swapped; its own bytes are row 19"),
    (16, "no public key of its own is taken from what comes back to a client"),
    (
        17,
        "cases are shared with grants; played in vault-core's attack_members",
    ),
    (20, "attachments do not go to a server yet"),
    (
        23,
        "a server has no columns that a client reads; structure is in links, which are row 14",
    ),
    (24, "played over all uploads, in tests/tests/evil/uploads.rs"),
    (25, "measured over all uploads, in tests/tests/evil/uploads.rs"),
    (26, "to be measured, not lied about"),
    (27, "a machine is cloned for it, not a server lied with"),
    (28, "played on wraps and records, in vault-core's attack_salamander"),
    (
        29,
        "nothing that a server answers is shown but a problem's title, which is escaped",
    ),
    (30, "played by the checks of the format on every byte; see row 19"),
    (32, "attachments do not go to a server yet"),
    (
        33,
        "no message has parameters of a passphrase, and no code reads them from one",
    ),
    (34, "played over all uploads, in tests/tests/evil/uploads.rs"),
    (35, "no format is negotiated; another format number is row 19's bytes"),
    (36, "played on a device that enrols, in tests/tests/members.rs"),
    (37, "recovery does not go over a server yet"),
    (38, "no client comes from a server"),
    (41, "a machine is looked at for it, not a server lied with"),
    (
        43,
        "played on a device that enrols, in tests/tests/members.rs and tests/tests/witness.rs",
    ),
    (49, "played on a witness, in tests/tests/witness.rs"),
    (50, "of the store, not of a server"),
    (51, "of the local disk, not of a server"),
    (52, "no reviewer reads from a server yet"),
    (53, "there are no release halves yet"),
    (54, "there are no release halves yet"),
    (55, "no reviewer reads from a server yet"),
    (56, "nothing is pruned yet"),
    (57, "of signatures, not of a server"),
];

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::NOT_YET;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_played_or_it_is_said_why_not() {
        let played: BTreeSet<u8> = Scenario::all().iter().map(Scenario::row).collect();
        let not: BTreeSet<u8> = NOT_YET.iter().map(|(row, _)| *row).collect();
        assert_eq!(played.intersection(&not).count(), 0);
        assert_eq!(
            played.union(&not).copied().collect::<Vec<_>>(),
            (1..=58).collect::<Vec<_>>()
        );
    }
}
