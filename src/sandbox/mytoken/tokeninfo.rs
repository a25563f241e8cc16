//! Asking about mytokens: introspection, event history, trees and lists (§2.5).

use serde_json::{Map, Value, json};

use super::body::Body;
use super::forest::{forest, tree};
use super::presented::Presented;
use super::refusal::Refusal;
use super::restriction::{Use, count};
use super::rotation::Update;
use super::table::{Form, Table};
use super::{Asked, Mytokens, history};
use crate::sandbox::serve::Response;

/// The actions that are served.
pub(crate) const ACTIONS: [&str; 4] = ["introspect", "event_history", "subtokens", "list_mytokens"];

/// What is asked beyond introspection.
enum Question {
    /// The own history, or that of these `mom_ids`.
    History(Vec<String>),
    Subtokens,
    List,
}

impl Question {
    /// The capability it needs; who may ask for the history of others is asked of each `mom_id`.
    fn needed(&self) -> Option<&'static str> {
        match self {
            Self::History(mom_ids) => mom_ids.is_empty().then_some("tokeninfo:history"),
            Self::Subtokens => Some("tokeninfo:subtokens"),
            Self::List => Some("manage_mytokens:list"),
        }
    }

    /// How it is written down in the history of the mytoken it was asked with.
    fn event(&self) -> &'static str {
        match self {
            Self::History(mom_ids) if mom_ids.is_empty() => "tokeninfo_history",
            Self::History(_) => "tokeninfo_history_other_token",
            Self::Subtokens => "tokeninfo_subtokens",
            Self::List => "tokeninfo_list_mytokens",
        }
    }

    /// The member of the answer, and its value.
    fn answer(
        &self,
        table: &Table,
        presented: &Presented,
        now: i64,
    ) -> Result<(&'static str, Value), Refusal> {
        Ok(match self {
            Self::History(mom_ids) => ("events", history::of(table, presented, mom_ids)?),
            Self::Subtokens => ("mytokens", tree(table, &presented.mom_id, now)),
            Self::List => ("mytokens", forest(table, &presented.claims.sub, now)),
        })
    }
}

impl Mytokens {
    /// The tokeninfo endpoint.
    pub(crate) async fn tokeninfo(&self, asked: &Asked) -> Result<Response, Refusal> {
        let body = Body::json(&asked.request)?;
        let action = body.text("action")?.unwrap_or("introspect");
        if !ACTIONS.contains(&action) {
            return Err(Refusal::invalid_request(format!("value '{action}' not valid for TokeninfoAction")));
        }
        let mom_ids = body.texts("mom_ids")?;
        let presented = self.presented(asked, &body, &["mytoken"])?;
        match action {
            "event_history" => self.told(asked, &presented, &Question::History(mom_ids)).await,
            "subtokens" => self.told(asked, &presented, &Question::Subtokens).await,
            "list_mytokens" => self.told(asked, &presented, &Question::List).await,
            _ => self.introspect(asked, &presented),
        }
    }

    fn introspect(&self, asked: &Asked, presented: &Presented) -> Result<Response, Refusal> {
        let mut table = self.table();
        let row = self.alive(&mut table, presented, asked.place.now)?;
        Self::capable(presented, "tokeninfo:introspect")?;
        let mut token = json!(presented.claims);
        if let Some(clauses) =
            token.get_mut("restrictions").filter(|_| !presented.claims.restrictions.is_empty())
        {
            let restrictions = &presented.claims.restrictions;
            *clauses = restrictions.iter().map(|clause| clause.with_counters(&row.counters)).collect();
        }
        row.events.push(asked.event("tokeninfo_introspect", ""));
        let kind = if presented.form == Form::Short { "short_token" } else { "token" };
        Ok(Response::json(
            200,
            &json!({"valid": true, "mom_id": presented.mom_id, "token_type": kind, "token": token}),
        ))
    }

    /// Answers a question that is counted. An unrestricted mytoken is neither counted nor rotated here, nor is
    /// this use of it written down.
    async fn told(
        &self,
        asked: &Asked,
        presented: &Presented,
        question: &Question,
    ) -> Result<Response, Refusal> {
        let now = asked.place.now;
        let clause = {
            let mut table = self.table();
            let row = self.alive(&mut table, presented, now)?;
            if let Some(needed) = question.needed() {
                Self::capable(presented, needed)?;
            }
            let clause = self.permitted(row, &Use::Other, asked)?;
            question.answer(&table, presented, now)?;
            clause
        };
        let is_counted = !presented.claims.restrictions.is_empty();
        if is_counted {
            self.hang_if_short(presented, false).await?;
        }
        let mut table = self.table();
        let (member, value) = question.answer(&table, presented, now)?;
        let mut update = None;
        if is_counted {
            let row = table.rows.get_mut(&presented.mom_id).ok_or_else(Refusal::dead)?;
            self.not_overtaken(row, presented)?;
            row.events.push(asked.event(question.event(), ""));
            if let Some(clause) = &clause {
                count(&mut row.counters, clause, &Use::Other);
            }
            update = self.rotated(&mut table, presented, asked, false)?;
        }
        let mut answer = Map::new();
        answer.insert(member.to_owned(), value);
        Ok(Update::answer(update, 200, answer))
    }
}
