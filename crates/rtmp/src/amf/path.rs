//! The names from a message down to one of its fields.

use std::fmt;

/// Longest name kept in a path, in bytes. A path is read by people; a name of 60 KB helps nobody.
const MAX_NAME: usize = 64;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The n-th value of a message, array, vector or dictionary, from 0.
    Index(usize),
    /// A named field. Cut after 64 bytes, with an ellipsis.
    Name(String),
}

/// Where in a message a field lies: `command[2].tcUrl` is the field `tcUrl` of the third value of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    root: &'static str,
    /// Innermost first, since it grows on the way out.
    reversed: Vec<Segment>,
}

impl Path {
    /// The steps from the message down to the field.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.reversed.iter().rev()
    }

    /// What the message as a whole is called, or an empty string.
    pub fn root(&self) -> &'static str {
        self.root
    }

    pub(crate) fn set_root(&mut self, root: &'static str) {
        self.root = root;
    }

    pub(crate) fn push_outer_index(&mut self, index: usize) {
        self.reversed.push(Segment::Index(index));
    }

    pub(crate) fn push_outer_name(&mut self, name: &str) {
        self.reversed.push(Segment::Name(shorten(name)));
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root)?;
        let mut empty = self.root.is_empty();
        for segment in self.segments() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Name(name) if empty => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
            }
            empty = false;
        }
        Ok(())
    }
}

fn shorten(name: &str) -> String {
    match name.get(..name.floor_char_boundary(MAX_NAME)) {
        Some(head) if head.len() < name.len() => format!("{head}…"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_the_message_down_to_the_field() {
        let mut path = Path::default();
        path.push_outer_name("tcUrl");
        path.push_outer_index(2);
        path.set_root("command");
        assert_eq!(path.to_string(), "command[2].tcUrl");
        assert_eq!(path.segments().next(), Some(&Segment::Index(2)));
    }

    #[test]
    fn without_a_root_it_starts_at_the_first_step() {
        let mut path = Path::default();
        path.push_outer_index(0);
        path.push_outer_name("list");
        assert_eq!(path.to_string(), "list[0]");
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_boundary() {
        let mut path = Path::default();
        path.push_outer_name(&"あ".repeat(100));
        assert_eq!(path.to_string(), format!("{}…", "あ".repeat(21)));
    }
}
