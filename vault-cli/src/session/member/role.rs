//! Roles by their names.

use crate::session::Result;
use crate::session::SessionError;
use vault_core::wire::v1::agency::Roles;

/// The roles, in the order of their names.
const VALUES: [Roles; 6] = [
    Roles::CASEWORKER,
    Roles::SUPERVISOR,
    Roles::DUTY,
    Roles::REVIEWER,
    Roles::DPO,
    Roles::ADMINISTRATOR,
];

/// The names of the roles.
pub const ROLES: [&str; 6] = ["caseworker", "supervisor", "duty", "reviewer", "dpo", "administrator"];

/// Reads names of roles, one at least.
pub(in crate::session) fn read(names: &[String]) -> Result<Roles> {
    let mut roles = Roles::NONE;
    for text in names {
        let found = ROLES
            .iter()
            .zip(VALUES)
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        let (_, role) = found.ok_or_else(|| unknown(text))?;
        roles = roles.with(role);
    }
    match roles == Roles::NONE {
        true => Err(unknown("")),
        false => Ok(roles),
    }
}

/// Names roles.
pub(in crate::session) fn names(roles: Roles) -> Vec<String> {
    let had = ROLES.iter().zip(VALUES).filter(|(_, role)| roles.any(*role));
    had.map(|(name, _)| (*name).to_owned()).collect()
}

fn unknown(text: &str) -> SessionError {
    SessionError::Unknown {
        what: "role",
        text: text.to_owned(),
        known: ROLES.map(str::to_owned).to_vec(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_named() {
        let both = read(&["DPO".to_owned(), "caseworker".to_owned()]).unwrap();
        assert_eq!(names(both), ["caseworker", "dpo"]);
        assert_eq!(names(Roles::ALL).len(), ROLES.len());
        for wrong in [&["boss".to_owned()][..], &[]] {
            assert_eq!(read(wrong).unwrap_err().code(), "unknown-name");
        }
    }
}
