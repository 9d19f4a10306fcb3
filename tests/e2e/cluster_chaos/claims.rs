//! Which record is of which push: by stream, node, and the client's port, as far as these are known, and by the time. What
//! is left over is of nobody.

use std::collections::HashMap;
use std::time::Duration;

use super::life::{Life, Outcome, Port};
use super::records::Found;
use super::world::LABELS;

/// How far the times of a record and of its client may be apart.
pub const APART: Duration = Duration::from_secs(1);

/// The records of each life, and those of none.
pub struct Claims<'a> {
    pub of: Vec<Vec<&'a Found>>,
    pub strays: Vec<&'a Found>,
}

impl<'a> Claims<'a> {
    pub fn new(lives: &[Life], records: &'a [Found]) -> Self {
        let mut by_stream: HashMap<&str, Vec<&Found>> = HashMap::new();
        for record in records {
            by_stream.entry(&record.stream).or_default().push(record);
        }
        let mut of: Vec<Vec<&Found>> = lives
            .iter()
            .map(|life| match by_stream.get_mut(life.stream.as_str()) {
                Some(named) => named.extract_if(.., |record| is_of(record, life)).collect(),
                None => Vec::new(),
            })
            .collect();
        // Who had not come so far as to say what it would publish has at most one of those without a name: first those
        // whose port says whose it is.
        let mut nameless = by_stream.remove("").unwrap_or_default();
        for known in [true, false] {
            for (life, mine) in lives.iter().zip(&mut of) {
                let was_never_live = !matches!(life.outcome, Outcome::Live(_));
                if mine.is_empty() && was_never_live && matches!(life.port, Port::Known(_)) == known {
                    mine.extend(nameless.extract_if(.., |record| is_of(record, life)).take(1));
                }
            }
        }
        let named = by_stream.into_values().flatten();
        Self { of, strays: named.chain(nameless).collect() }
    }

    /// Whose a record is.
    pub fn whose(&self, record: &Found) -> Option<usize> {
        self.of.iter().position(|mine| mine.iter().any(|one| one.id == record.id))
    }
}

fn is_of(record: &Found, life: &Life) -> bool {
    let port = match life.port {
        Port::Known(port) => record.client.port() == port,
        Port::Hidden => true,
        Port::None => false,
    };
    let in_time = record.from + APART >= life.asked && record.from <= life.over() + APART;
    port && in_time && record.from_node.is_none() && record.node == LABELS[life.node]
}
