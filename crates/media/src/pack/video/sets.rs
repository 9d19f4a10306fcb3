//! Parameter sets, by their ids.

use super::super::PackError;

/// Sets of one kind that are kept: a stream uses one, switching encoders a few.
const MAX_SETS: usize = 32;

/// The parameter sets of one kind that a stream has shown.
#[derive(Debug, Default)]
pub struct Sets(Vec<(u32, Vec<u8>)>);

impl Sets {
    /// Takes a set. Says whether it is new or differs from the one of that id.
    pub fn take(&mut self, id: u32, set: &[u8]) -> Result<bool, PackError> {
        match self.0.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(place) => match self.0.get_mut(place) {
                Some((_, known)) if known != set => {
                    *known = set.to_vec();
                    Ok(true)
                }
                _ => Ok(false),
            },
            Err(_) if self.0.len() == MAX_SETS => Err(PackError::TooManySets { limit: MAX_SETS }),
            Err(place) => {
                self.0.insert(place, (id, set.to_vec()));
                Ok(true)
            }
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn first(&self) -> Option<&[u8]> {
        self.0.first().map(|(_, set)| set.as_slice())
    }

    /// At most [`MAX_SETS`].
    pub fn count(&self) -> u8 {
        self.0.len() as u8
    }

    /// Appends each set behind its 16-bit length. Sets are short: their parser refuses others.
    pub fn write(&self, record: &mut Vec<u8>) {
        for (_, set) in &self.0 {
            record.extend_from_slice(&(set.len() as u16).to_be_bytes());
            record.extend_from_slice(set);
        }
    }
}
