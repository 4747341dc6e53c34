//! What the processes over one database have in common.

use std::ops::ControlFlow;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator;

use super::connection::Connection;
use super::{CHANNEL, Postgres};
use crate::store::{AgencyNo, Challenge, Change, Shared, StoreError, UseUp};

/// How often whoever follows is asked whether to go on.
const TURN: Duration = Duration::from_millis(200);

impl Shared for Postgres {
    fn use_up(&self, challenge: &Challenge, forget: u64, most: usize) -> Result<UseUp, StoreError> {
        let made = i64::try_from(challenge.made).map_err(|_| StoreError::Bounds("seconds"))?;
        let forget = i64::try_from(forget).map_err(|_| StoreError::Bounds("seconds"))?;
        let most = i64::try_from(most).map_err(|_| StoreError::Bounds("challenges"))?;
        self.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", |transaction| {
            transaction.execute("DELETE FROM challenge WHERE made < $1", &[&forget])?;
            let sql = "SELECT count(*) FROM (SELECT FROM challenge LIMIT $1) remembered";
            let remembered: i64 = transaction.row(sql, &[&most])?.map_or(0, |row| row.get(0));
            if remembered >= most {
                return Ok(UseUp::TooMany);
            }
            let sql = "INSERT INTO challenge (random, made) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            match transaction.execute(sql, &[&challenge.random.as_slice(), &made])? {
                0 => Ok(UseUp::Again),
                _ => Ok(UseUp::First),
            }
        })
    }

    fn follow(&self, told: &mut dyn FnMut(Change) -> ControlFlow<()>) -> Result<(), StoreError> {
        let mut connection = Connection::open(&self.database)?;
        connection.client.batch_execute(&format!("LISTEN {CHANNEL}"))?;
        // What happened before is not told of any more.
        if told(Change::Unknown).is_break() {
            return Ok(());
        }
        loop {
            let within: Vec<_> = connection.client.notifications().timeout_iter(TURN).take(1).collect()?;
            for notification in within {
                let change = match notification.payload().parse() {
                    Ok(no) => Change::Grown(AgencyNo(no)),
                    Err(_) => Change::Unknown,
                };
                if told(change).is_break() {
                    return Ok(());
                }
            }
            if told(Change::None).is_break() {
                return Ok(());
            }
            if connection.client.is_closed() {
                return Err(StoreError::Away("the connection has ended".into()));
            }
        }
    }
}
