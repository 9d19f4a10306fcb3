//! The writer's side: rows come in the transaction that opens or closes a push, and go with the outcome.

use model::catalog::{CallbackKind, TemplateId};
use model::record::is_test;
use model::{PushId, Record, StreamKey, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Notice, OutboxConfig, PushReport, Settled};
use crate::catalog::{any_rules, template_for};
use crate::row::{Inherited, OpenRow};

/// Puts events into the outbox, within one transaction.
pub(crate) struct Sender<'a> {
    pub tx: &'a Transaction<'a>,
    pub config: &'a OutboxConfig,
    pub node: &'a str,
    pub now: Timestamp,
    /// Whether any rule names somebody to be told: most nodes have none, and need not be asked at each push.
    rules: bool,
    /// Events put into the outbox.
    pub queued: u64,
    /// Events that the flap filter kept back.
    pub suppressed: u64,
}

/// What the journal keeps of an open push for its callbacks.
#[derive(Default)]
pub(crate) struct Kept {
    param: Option<String>,
    announced: bool,
}

struct Event<'a> {
    id: String,
    template: TemplateId,
    push: PushId,
    kind: CallbackKind,
    account: Option<u64>,
    key: &'a StreamKey,
    at: Timestamp,
    held: bool,
    notice: Notice,
}

/// The id of the delivery that tells of a push's beginning.
pub(super) fn begin_id(push: PushId) -> String {
    format!("{push}-1")
}

impl<'a> Event<'a> {
    fn begin(row: &'a OpenRow, template: TemplateId, node: &str) -> Self {
        Self {
            id: begin_id(row.id),
            template,
            push: row.id,
            kind: CallbackKind::Begin,
            account: Some(row.account),
            key: &row.key,
            at: row.published_at,
            held: false,
            notice: Notice::begin(row, node),
        }
    }
}

impl<'a> Sender<'a> {
    /// Of one transaction.
    pub fn new(
        tx: &'a Transaction<'a>,
        config: &'a OutboxConfig,
        node: &'a str,
        now: Timestamp,
    ) -> rusqlite::Result<Self> {
        let mut sender = Self { tx, config, node, now, rules: true, queued: 0, suppressed: 0 };
        sender.rules_changed()?;
        Ok(sender)
    }

    /// The transaction has changed the catalog, or has just begun.
    pub fn rules_changed(&mut self) -> rusqlite::Result<()> {
        self.rules = any_rules(self.tx)?;
        Ok(())
    }

    /// Whom a rule names for an event of this kind.
    fn template(&self, kind: CallbackKind, domain: &str, app: &str) -> rusqlite::Result<Option<TemplateId>> {
        if self.rules { template_for(self.tx, kind, domain, app) } else { Ok(None) }
    }

    /// A push is about to go live. Nobody is told of tests, of neither their beginning nor their end nor what happens
    /// in between: a receiver takes what it hears of for a stream that can be played.
    pub fn began(&mut self, row: &OpenRow) -> rusqlite::Result<()> {
        if is_test(row.stream_param.as_deref()) {
            return Ok(());
        }
        let begin = self.template(CallbackKind::Begin, &row.key.domain, &row.key.app)?;
        let end = self.template(CallbackKind::End, &row.key.domain, &row.key.app)?;
        let exception = self.template(CallbackKind::Exception, &row.key.domain, &row.key.app)?;
        if begin.is_none() && end.is_none() && exception.is_none() {
            return Ok(());
        }
        self.tx
            .prepare_cached("update open_push set callback_param = ?2, announced = ?3 where id = ?1")?
            .execute(params![row.id.as_bytes(), row.callback_param, begin.is_some()])?;
        let Some(template) = begin else { return Ok(()) };
        if self.ends_an_interruption(&row.key)? {
            return Ok(());
        }
        self.put(&Event::begin(row, template, self.node))
    }

    /// A push of a node that is lost, in its place. What the flap filter does not tell of its end it does not tell of its
    /// beginning either.
    pub fn inherited(&mut self, push: &Inherited) -> rusqlite::Result<()> {
        if let Some(row) = push.begin.as_ref().filter(|row| !is_test(row.stream_param.as_deref()))
            && let Some(template) = self.template(CallbackKind::Begin, &row.key.domain, &row.key.app)?
            && !(self.config.flap.is_some() && self.is_live(&row.key, row.id)?)
        {
            self.put(&Event::begin(row, template, &push.record.node))?;
        }
        self.ended(&push.record, Kept::default())
    }

    /// What is kept of an open push; to be asked before its row goes. Nothing where no rule names anybody, who would be
    /// told of it.
    pub fn kept(&self, id: PushId) -> rusqlite::Result<Kept> {
        if !self.rules {
            return Ok(Kept::default());
        }
        let kept = self
            .tx
            .prepare_cached("select callback_param, announced from open_push where id = ?1")?
            .query_row([id.as_bytes()], |row| Ok(Kept { param: row.get(0)?, announced: row.get(1)? }))
            .optional()?;
        Ok(kept.unwrap_or_default())
    }

    /// A push that was live has ended.
    pub fn ended(&mut self, record: &Record, kept: Kept) -> rusqlite::Result<()> {
        if record.is_test() {
            return Ok(());
        }
        let (Some(domain), Some(app), Some(stream)) = (&record.domain, &record.app, &record.stream) else {
            return Ok(());
        };
        let Some(template) = self.template(CallbackKind::End, domain, app)? else { return Ok(()) };
        let key = StreamKey { domain: domain.clone(), app: app.clone(), stream: stream.clone() };
        if self.config.flap.is_some() && self.is_live(&key, record.id)? {
            self.suppressed += 1;
            return Ok(());
        }
        self.put(&Event {
            id: format!("{}-0", record.id),
            template,
            push: record.id,
            kind: CallbackKind::End,
            account: record.account,
            key: &key,
            at: record.ended_at,
            held: self.config.flap.is_some(),
            notice: Notice::end(record, kept.param),
        })
    }

    /// A push was refused after its row had been opened: whoever was told of its start is told of its end.
    pub fn abandoned(&mut self, record: &Record, kept: Kept) -> rusqlite::Result<()> {
        if kept.announced { self.ended(record, kept) } else { Ok(()) }
    }

    /// A push was refused, or left before it was live.
    pub fn refused(&mut self, record: &Record) -> rusqlite::Result<()> {
        if self.config.refused { self.ended(record, Kept::default()) } else { Ok(()) }
    }

    /// Abnormalities of a live push.
    pub fn reported(&mut self, report: &PushReport) -> rusqlite::Result<()> {
        let StreamKey { domain, app, .. } = &report.key;
        // Types of our own are not in the callback's table, and tools might not expect them.
        if is_test(report.stream_param.as_deref()) {
            return Ok(());
        }
        let known: Vec<_> = report.events.iter().filter(|event| event.kind < 100).cloned().collect();
        if known.is_empty() {
            return Ok(());
        }
        let Some(template) = self.template(CallbackKind::Exception, domain, app)? else {
            return Ok(());
        };
        let param = self.kept(report.push)?.param;
        let report = PushReport { events: known, ..report.clone() };
        self.put(&Event {
            id: format!("{}-321-{}", report.push, report.at.millis()),
            template,
            push: report.push,
            kind: CallbackKind::Exception,
            account: Some(report.account),
            key: &report.key,
            at: report.at,
            held: false,
            notice: Notice::exception(&report, self.node, param),
        })
    }

    /// With the flap filter: whether an interruption of this stream still waits; it is then never told, and neither is
    /// the start that ended it.
    fn ends_an_interruption(&mut self, key: &StreamKey) -> rusqlite::Result<bool> {
        if self.config.flap.is_none() {
            return Ok(false);
        }
        let taken_back = self
            .tx
            .prepare_cached(
                "delete from outbox where held = 1 and attempts = 0 and next_at > ?1 and domain = ?2 and app = ?3 and \
                 stream = ?4",
            )?
            .execute(params![self.now.millis(), key.domain, key.app, key.stream])?;
        if taken_back > 0 {
            self.suppressed += 1 + u64::try_from(taken_back).unwrap_or(0);
        }
        Ok(taken_back > 0)
    }

    fn is_live(&self, key: &StreamKey, but: PushId) -> rusqlite::Result<bool> {
        let mut open = self.tx.prepare_cached(
            "select stream_param from open_push where domain = ?1 and app = ?2 and stream = ?3 and id <> ?4",
        )?;
        let others = params![key.domain, key.app, key.stream, but.as_bytes()];
        for param in open.query_map(others, |row| row.get::<_, Option<String>>(0))? {
            if !is_test(param?.as_deref()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn put(&mut self, event: &Event<'_>) -> rusqlite::Result<()> {
        let Ok(body) = serde_json::to_string(&event.notice) else { return Ok(()) };
        let next_at = match self.config.flap.filter(|_| event.held) {
            Some(flap) => self.now.plus(flap),
            None => event.at,
        };
        let rows = self
            .tx
            .prepare_cached(
                "insert or ignore into outbox (id, template, push, event_type, account, domain, app, stream, created_at, \
                 next_at, held, body) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                event.id,
                event.template,
                event.push.as_bytes(),
                event.kind.event_type(),
                event.account.map(u64::cast_signed),
                event.key.domain,
                event.key.app,
                event.key.stream,
                event.at.millis(),
                next_at.millis(),
                event.held,
                body,
            ])?;
        self.queued += u64::try_from(rows).unwrap_or(0);
        Ok(())
    }
}

/// Writes what became of a try; gives the number of rows that are gone.
pub(crate) fn settle(tx: &Transaction<'_>, settled: &Settled) -> rusqlite::Result<u64> {
    let gone = match settled {
        Settled::Done { id } => tx.prepare_cached("delete from outbox where id = ?1")?.execute([id])?,
        Settled::Again { id, at } => {
            tx.prepare_cached(
                "update outbox set attempts = attempts + 1, next_at = ?2, held = 0 where id = ?1",
            )?
            .execute(params![id, at.millis()])?;
            // What follows cannot go before; asking for it each time would only cost.
            tx.prepare_cached(
                "update outbox set next_at = max(next_at, ?2) where id <> ?1 and push = \
                 (select push from outbox where id = ?1) and template = (select template from outbox where id = ?1)",
            )?
            .execute(params![id, at.millis()])?;
            0
        }
        Settled::Trim { template, keep } => tx
            .prepare_cached(
                "delete from outbox where seq in (select seq from outbox where template = ?1 order by seq limit \
                 max(0, (select count(*) from outbox where template = ?1) - ?2))",
            )?
            .execute(params![template, i64::try_from(*keep).unwrap_or(i64::MAX)])?,
    };
    Ok(u64::try_from(gone).unwrap_or(0))
}
