//! The columns of the list of records, and which of them a reader wants to see.

use super::frame::Frame;

macro_rules! columns {
    ($($(#[doc = $doc:literal])+ $column:ident = $name:literal, $text:literal, $shown:literal;)+) => {
        /// A column beside stream and cause, which are always there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column {
            $($(#[doc = $doc])+ $column,)+
        }

        impl Column {
            /// Every column, in the order in which they stand.
            pub const ALL: &'static [Self] = &[$(Self::$column),+];

            /// Its name in the URL.
            pub fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)+ }
            }

            /// The key of its heading.
            pub fn text(self) -> &'static str {
                match self { $(Self::$column => $text,)+ }
            }

            /// Whether it is shown to those who chose nothing.
            fn is_usual(self) -> bool {
                match self { $(Self::$column => $shown,)+ }
            }
        }
    };
}

columns! {
    /// Path.
    App = "app", "column-app", true;
    /// Push domain.
    Domain = "domain", "column-domain", true;
    /// When it went live.
    Start = "start", "column-start", true;
    /// When it ended.
    End = "end", "column-end", true;
    /// How long it was live.
    Duration = "duration", "column-duration", true;
    /// The pusher's address.
    Client = "client", "column-client", true;
    /// The bitrate of its last minute.
    Minute = "minute", "column-minute", true;
    /// `RTMP`, `SRT`, ...
    Protocol = "protocol", "fact-protocol", false;
    /// The encoder's own name for itself.
    Encoder = "encoder", "fact-encoder", false;
    /// Video codec, size, rate.
    Video = "video", "fact-video", false;
    /// Audio codec, rate.
    Audio = "audio", "fact-audio", false;
    /// Bytes received.
    Received = "received", "fact-bytes-in", false;
    /// The node that took it.
    Node = "node", "fact-node", false;
    /// Owner of the domain.
    Account = "account", "fact-account", false;
}

/// The columns that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Default for Columns {
    fn default() -> Self {
        Self(Column::ALL.iter().copied().filter(|column| column.is_usual()).collect())
    }
}

impl Columns {
    /// Those that a URL names by `columns=start,end` or, as a form sends them, by `column=start&column=end`; the usual
    /// ones where it names none. Unknown names do not count. Gives back the other pairs.
    pub fn take(pairs: Vec<(String, String)>) -> (Self, Vec<(String, String)>) {
        let mut named = false;
        let mut columns = Vec::new();
        let mut others = Vec::new();
        for (name, value) in pairs {
            if name != "column" && name != "columns" {
                others.push((name, value));
                continue;
            }
            named = true;
            columns.extend(Column::ALL.iter().copied().filter(|c| value.split(',').any(|n| n == c.name())));
        }
        if !named {
            return (Self::default(), others);
        }
        (Self(Column::ALL.iter().copied().filter(|column| columns.contains(column)).collect()), others)
    }

    /// Whether a column is shown.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|column| column.name() == name)
    }

    /// As the value of `columns`; `None` for the usual ones.
    pub fn in_url(&self) -> Option<String> {
        let names = || self.0.iter().map(|column| column.name()).collect::<Vec<_>>().join(",");
        (*self != Self::default()).then(names)
    }

    /// Every column with its heading, and whether it is shown.
    pub fn choices(&self, f: &Frame) -> Vec<(&'static str, String, bool)> {
        Column::ALL.iter().map(|c| (c.name(), f.t(c.text()), self.has(c.name()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(list: &[(&str, &str)]) -> Columns {
        let pairs = list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let (columns, others) = Columns::take(pairs.collect());
        assert!(others.iter().all(|(name, _)| name == "stream"));
        columns
    }

    #[test]
    fn a_url_names_columns_in_either_way_and_the_usual_ones_need_no_name() {
        let usual = take(&[("stream", "a")]);
        assert!(usual.has("end") && !usual.has("encoder") && usual.in_url().is_none());
        let listed = take(&[("columns", "encoder,end,nonsense")]);
        assert_eq!(listed.in_url().as_deref(), Some("end,encoder"));
        assert_eq!(take(&[("column", "encoder"), ("column", "end")]), listed);
        assert_eq!(take(&[("columns", "")]).in_url().as_deref(), Some(""), "stream and cause alone");
        let all: Vec<(&str, &str)> =
            Column::ALL.iter().filter(|c| c.is_usual()).map(|c| ("column", c.name())).collect();
        assert_eq!(take(&all).in_url(), None);
    }
}
