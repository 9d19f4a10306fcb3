//! How the records of a page are searched for.
//!
//! Each index ends in the order of the lists, so one condition on an indexed column gives a page without sorting. Where
//! more conditions meet, or one that has no index, nobody knows how far back a full page reaches. Records are then looked
//! at in the order of the list, from the index whose newest entries reach back farthest, and a bounded number of them:
//! the search tells how far it came, and the next page goes on from there. A part of a name that many streams have, and a
//! network, give their records in any order: where these are not too many, all of them are sorted.

use std::time::{Duration, Instant};

use model::{Clock, SystemClock, Timestamp};
use tokio_postgres::{Client, Row};

use super::columns::JOIN;
use super::plan::{By, Plan};
use crate::limits::MAX_EXAMINED;
use crate::reader::query::Cursor;
use crate::reader::source::First;
use crate::remote::RemoteFault;

/// After this time nothing further is begun.
const PATIENCE: Duration = Duration::from_millis(100);
/// Records looked at first, for each index that there is a choice of.
const FIRST_LOOK: u64 = 500;
/// How many more are looked at with each further step.
const GROWTH: u64 = 4;
/// Entries of an index that are sorted rather than looked at in the order of the list: where they need not be read, and
/// where they have to be.
const MOST_KEYS: usize = 20_000;
const MOST_RECORDS: usize = 4_000;
/// Where there are more, only those of so many days are, one after the other.
const SPANS: [Duration; 2] = [Duration::from_secs(86_400), Duration::from_secs(7 * 86_400)];

/// What is searched for.
pub(super) struct Search<'a> {
    pub client: &'a Client,
    pub plan: &'a Plan,
    /// The columns that are wanted of `record r`, and what it is joined with for them.
    pub select: &'static str,
    pub join: bool,
    pub first: First,
    pub wanted: usize,
}

/// What was found, in the order of the list.
#[derive(Default)]
pub(super) struct Rows {
    pub rows: Vec<Row>,
    /// How far the search came, if it did not come to the end.
    pub stopped: Option<Cursor>,
}

/// A part of a list, both ends in time: below one place, from the other one on.
#[derive(Clone, Copy)]
struct Span {
    below: Cursor,
    from: Cursor,
}

/// How far one of the ways in order came.
struct Way {
    /// The condition whose index is read; `None`: the order of time itself.
    by: Option<usize>,
    rows: Vec<Row>,
    /// The last place looked at; `None`: all were.
    reached: Option<Cursor>,
}

/// How much may still be looked at.
struct Budget {
    began: Instant,
    left: u64,
}

impl Budget {
    fn new() -> Self {
        Self { began: SystemClock.instant(), left: MAX_EXAMINED }
    }

    fn spent(&self) -> bool {
        self.left == 0 || self.elapsed() >= PATIENCE
    }

    fn elapsed(&self) -> Duration {
        SystemClock.instant().saturating_duration_since(self.began)
    }
}

impl Search<'_> {
    /// Searches from one end of the list towards the other.
    pub async fn run(&self, below: Cursor, from: Cursor) -> Result<Rows, RemoteFault> {
        let span = Span { below, from };
        let heap = self.plan.conditions.iter().position(|c| matches!(c.by, By::Heap { .. }));
        match (self.plan.conditions.as_slice(), heap) {
            ([], _) => self.whole(None, span).await,
            ([only], None) if !matches!(only.by, By::Looking) => self.whole(Some(0), span).await,
            (_, Some(heap)) => self.heap(heap, span).await,
            (_, None) => self.in_order(span, &mut Budget::new()).await,
        }
    }

    fn wanted(&self) -> String {
        format!("fetch first {} rows with ties", self.wanted)
    }

    fn order(&self) -> &'static str {
        match self.first {
            First::Newest => "order by r.ended_at desc, r.tie desc",
            First::Oldest => "order by r.ended_at, r.tie",
        }
    }

    fn joined(&self) -> &'static str {
        if self.join { JOIN } else { "" }
    }

    /// Records by one index in the order of the list, at most so many. Two may stand at one place, and a page goes on
    /// below a place: all of the last place are in it.
    fn ordered(&self, by: Option<usize>, columns: &str, rows: &str) -> String {
        let (place, order) = (self.plan.place(), self.order());
        let condition = by.and_then(|by| self.plan.conditions.get(by));
        match condition {
            None => format!("select {columns} from record r where {place} {order} {rows}"),
            Some(condition) => match &condition.by {
                By::Values { rows: values, each, .. } => format!(
                    "select {columns} from {values} cross join lateral \
                     (select r.* from record r where {each} and {place} {order} {rows}) r {order} {rows}"
                ),
                _ => format!(
                    "select {columns} from record r where {} and {place} {order} {rows}",
                    condition.sql
                ),
            },
        }
    }

    /// Where one index gives the page, however far back it reaches.
    async fn whole(&self, by: Option<usize>, span: Span) -> Result<Rows, RemoteFault> {
        let statement = format!(
            "select {} from ({}) r {} {}",
            self.select,
            self.ordered(by, "r.*", &self.wanted()),
            self.joined(),
            self.order()
        );
        let rows = self.plan.ask(self.client, &statement, span.below, span.from).await?;
        Ok(Rows { rows, stopped: None })
    }

    /// The ways in which records can be looked at in the order of the list.
    fn ways(&self) -> Vec<Option<usize>> {
        let indexed = |by: &By| matches!(by, By::Index | By::Values { few: true, .. });
        let conditions = self.plan.conditions.iter().enumerate();
        let ways: Vec<_> = conditions
            .filter(|(_, condition)| indexed(&condition.by))
            .map(|(index, _)| Some(index))
            .collect();
        if ways.is_empty() { vec![None] } else { ways }
    }

    /// Looks at records in the order of the list. The first look goes every way there is; the one that comes farthest with
    /// it has the fewest records to look at, and goes on.
    async fn in_order(&self, span: Span, budget: &mut Budget) -> Result<Rows, RemoteFault> {
        let mut best: Option<Way> = None;
        for by in self.ways() {
            let way = self.look(by, span, FIRST_LOOK.max(self.wanted as u64), self.wanted, budget).await?;
            let done = way.reached.is_none() || way.rows.len() >= self.wanted;
            let farther = best.as_ref().is_none_or(|best| self.is_farther(&way, best));
            if done || farther {
                best = Some(way);
            }
            if done || budget.spent() {
                break;
            }
        }
        let Some(Way { by, mut rows, mut reached }) = best else { return Ok(Rows::default()) };
        let mut step = FIRST_LOOK;
        let mut fits_in = u64::MAX;
        while let Some(at) = reached
            && rows.len() < self.wanted
        {
            if budget.spent() {
                return Ok(Rows { rows, stopped: Some(at) });
            }
            step = step.saturating_mul(GROWTH).min(fits_in).max(FIRST_LOOK).min(budget.left);
            let rest = self.beyond(at, span);
            let before = budget.elapsed();
            let way = self.look(by, rest, step, self.wanted - rows.len(), budget).await?;
            let took = budget.elapsed().saturating_sub(before).as_micros().max(1);
            let left = PATIENCE.saturating_sub(budget.elapsed()).as_micros();
            fits_in = u64::try_from(u128::from(step) * left / took).unwrap_or(u64::MAX);
            rows.extend(way.rows);
            reached = way.reached;
        }
        Ok(Rows { rows, stopped: None })
    }

    fn is_farther(&self, way: &Way, than: &Way) -> bool {
        match self.first {
            First::Newest => way.reached < than.reached,
            First::Oldest => way.reached > than.reached,
        }
    }

    /// What is left when everything up to and with a place was looked at.
    fn beyond(&self, at: Cursor, span: Span) -> Span {
        match self.first {
            First::Newest => Span { below: at, ..span },
            First::Oldest => Span { from: Cursor { tie: at.tie.saturating_add(1), ..at }, ..span },
        }
    }

    /// Looks at so many records, and gives those that satisfy all conditions.
    async fn look(
        &self,
        by: Option<usize>,
        span: Span,
        most: u64,
        wanted: usize,
        budget: &mut Budget,
    ) -> Result<Way, RemoteFault> {
        let columns = format!("r.id, r.ended_at, r.tie, ({}) as fits", self.plan.but(by));
        let last = match self.first {
            First::Newest => "order by ended_at, tie",
            First::Oldest => "order by ended_at desc, tie desc",
        };
        // What fits is fetched by its id: wide rows are not carried along.
        let statement = format!(
            "with looked as materialized ({}), \
             fitting as (select id, ended_at, tie from looked r where fits {order} \
                         fetch first {wanted} rows with ties), \
             found as (select {}, r.ended_at as place_at, r.tie as place_tie from fitting f cross join lateral (select * from record x where x.id = f.id limit 1) r {}) \
             select found.*, n, last_at, last_tie from (select count(*) as n from looked) counted \
             left join (select ended_at as last_at, tie as last_tie from looked {last} limit 1) l on true \
             left join found on true order by place_at {direction}, place_tie {direction}",
            self.ordered(by, &columns, &format!("fetch first {most} rows with ties")),
            self.select,
            self.joined(),
            order = self.order(),
            direction = match self.first {
                First::Newest => "desc",
                First::Oldest => "asc",
            },
        );
        let mut rows = self.plan.ask(self.client, &statement, span.below, span.from).await?;
        let Some(row) = rows.first() else { return Ok(Way { by, rows, reached: None }) };
        let looked = u64::try_from(row.try_get::<_, i64>("n")?).unwrap_or(0);
        budget.left = budget.left.saturating_sub(looked);
        let reached = match looked < most {
            true => None,
            false => Some(Cursor { ended_at: row.try_get("last_at")?, tie: row.try_get("last_tie")? }),
        };
        if row.try_get::<_, Option<i64>>("place_at")?.is_none() {
            rows.clear();
        }
        Ok(Way { by, rows, reached })
    }

    /// Where one condition gives its records in any order: sorts them where they are few, and where they are many those
    /// of one span after the other.
    async fn heap(&self, heap: usize, span: Span) -> Result<Rows, RemoteFault> {
        let mut budget = Budget::new();
        let most = if self.plan.conditions.len() == 1 { MOST_KEYS } else { MOST_RECORDS };
        let Some(condition) = self.plan.conditions.get(heap) else { return Ok(Rows::default()) };
        // Wherever they are in time: the count thereby looks at no more entries than it counts.
        let count = format!(
            "select count(*) from (select 1 from record r where {} limit {}) c where {}",
            condition.sql,
            most + 1,
            self.plan.mentioned()
        );
        let counted = self.plan.ask(self.client, &count, span.below, span.from).await?;
        let there: i64 = counted.first().map_or(Ok(0), |row| row.try_get(0))?;
        if usize::try_from(there).unwrap_or(0) <= most
            && let (rows, false) = self.sorted(heap, span, most).await?
        {
            return Ok(Rows { rows, stopped: None });
        }
        if !matches!(condition.by, By::Heap { timed: true }) {
            return self.in_order(span, &mut budget).await;
        }
        self.by_spans(heap, span, most, &mut budget).await
    }

    async fn by_spans(
        &self,
        heap: usize,
        span: Span,
        most: usize,
        budget: &mut Budget,
    ) -> Result<Rows, RemoteFault> {
        let mut found = Rows::default();
        let mut rest = span;
        for length in SPANS.into_iter().map(Some).chain([None]) {
            let part = length.map_or(rest, |length| self.part(rest, length));
            let (rows, over) = self.sorted(heap, part, most).await?;
            if over {
                // So many that looking at all records finds some soon.
                let more = self.in_order(part, budget).await?;
                found.rows.extend(more.rows);
                found.stopped = more.stopped;
            } else {
                found.rows.extend(rows);
            }
            let (at_end, next) = match self.first {
                First::Newest => (part.from <= span.from, Span { below: part.from, ..span }),
                First::Oldest => (part.below >= span.below, Span { from: part.below, ..span }),
            };
            if at_end || found.stopped.is_some() || found.rows.len() >= self.wanted {
                return Ok(found);
            }
            if budget.spent() {
                // Nothing at this place was looked at, or everything: a list that goes on from it begins right there.
                found.stopped = Some(match self.first {
                    First::Newest => part.from,
                    First::Oldest => part.below,
                });
                return Ok(found);
            }
            rest = next;
        }
        Ok(found)
    }

    /// So much of a span as comes first.
    fn part(&self, span: Span, length: Duration) -> Span {
        let now = SystemClock.now().millis();
        match self.first {
            First::Newest => {
                let reaches = Timestamp(span.below.ended_at.min(now)).minus(length);
                Span { from: span.from.max(Cursor::at(reaches)), ..span }
            }
            // Where the oldest ones are nobody knows.
            First::Oldest => span,
        }
    }

    /// All records of a span that one condition gives, sorted, as far as they are wanted; and whether there were too many.
    async fn sorted(&self, heap: usize, span: Span, most: usize) -> Result<(Vec<Row>, bool), RemoteFault> {
        let Some(condition) = self.plan.conditions.get(heap) else { return Ok((Vec::new(), false)) };
        let (set, place, order) = (&condition.sql, self.plan.place(), self.order());
        let (wanted, others) = (self.wanted(), self.plan.but(Some(heap)));
        let keys = match self.plan.conditions.len() {
            // The index has all that is needed to know which ones come first.
            1 => "r.ended_at, r.tie, true as fits".to_owned(),
            _ => format!("r.ended_at, r.tie, ({others}) as fits"),
        };
        let cut = match self.first {
            First::Newest => "(r.ended_at, r.tie) >= (c.ended_at, c.tie)",
            First::Oldest => "(r.ended_at, r.tie) <= (c.ended_at, c.tie)",
        };
        let end = match self.first {
            First::Newest => "order by ended_at, tie",
            First::Oldest => "order by ended_at desc, tie desc",
        };
        // The second look at the set is bounded by the place of the last record of the page.
        let statement = format!(
            "with looked as materialized (select {keys} from record r where {set} and {place} limit {limit}), \
             fitting as (select ended_at, tie from looked r where fits {order} {wanted}), \
             cut as (select ended_at, tie from fitting {end} limit 1), \
             found as (select {select}, r.ended_at as place_at, r.tie as place_tie from cut c cross join lateral (select r.* from record r where {set} and {place} \
                       and {cut} and {others} offset 0) r {join}) \
             select found.*, n from (select count(*) as n from looked) counted left join found on true \
             order by place_at {direction}, place_tie {direction}",
            limit = most + 1,
            select = self.select,
            join = self.joined(),
            direction = match self.first {
                First::Newest => "desc",
                First::Oldest => "asc",
            },
        );
        let mut rows = self.plan.ask(self.client, &statement, span.below, span.from).await?;
        let Some(row) = rows.first() else { return Ok((rows, false)) };
        let over = usize::try_from(row.try_get::<_, i64>("n")?).unwrap_or(0) > most;
        if over || row.try_get::<_, Option<i64>>("place_at")?.is_none() {
            rows.clear();
        }
        Ok((rows, over))
    }
}
