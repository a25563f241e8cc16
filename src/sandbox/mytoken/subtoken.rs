//! Making a mytoken from another one (§2.3.4): what it may have of its parent's, and what its parent gets back.

use super::body::Body;
use super::presented::{Presented, SHORTEST};
use super::refusal::Refusal;
use super::restriction::{Clause, Use, count};
use super::rotation::{Rotation, Update};
use super::table::{Event, Form, Table, Wish};
use super::tighten::{shorten, tightened};
use super::{Asked, Mytokens, asked as read, capability};
use crate::domain::secret::Secret;
use crate::sandbox::serve::Response;

/// The comment `Created MT <name>` in the parent's history has room for 100 characters.
const LONGEST_NAME: usize = 89;

/// What is asked for. Capabilities and restrictions may be less in the end.
struct Child {
    name: Option<String>,
    /// `None`: all of the parent's.
    capabilities: Option<Vec<String>>,
    restrictions: Vec<Clause>,
    rotation: Option<Rotation>,
    issuer: Option<String>,
    form: Form,
    /// `max_token_len`, 0 for none.
    longest: i64,
}

impl Mytokens {
    /// Answers `grant_type: mytoken` at the mytoken endpoint.
    pub(crate) async fn subtoken(&self, asked: &Asked, body: &Body) -> Result<Response, Refusal> {
        let child = self.child_asked(asked, &self.unfolded(body)?)?;
        if body.get("mytoken").is_some_and(|value| value.as_str().is_none_or(|text| text.len() < SHORTEST)) {
            return Err(Refusal::invalid_token("token not valid"));
        }
        let presented = self.presented(asked, body, &["mytoken"])?;
        {
            let mut table = self.table();
            let row = self.alive(&mut table, &presented, asked.place.now)?;
            Self::capable(&presented, "create_mytoken")?;
            self.permitted(row, &Use::Other, asked)?;
            if child.issuer.as_ref().is_some_and(|issuer| *issuer != presented.claims.oidc_iss) {
                return Err(Refusal::invalid_request("token not for specified issuer"));
            }
            self.opens(row, &presented)?;
        }
        let (form, longest) = (child.form, child.longest);
        let wish = self.inherited(child, &presented, asked.place.now)?;
        self.hang_if_short(&presented, false).await?;
        self.give_birth(asked, &presented, wish, form, longest)
    }

    fn child_asked(&self, asked: &Asked, body: &Body) -> Result<Child, Refusal> {
        let keys = &self.settings().restriction_keys;
        let mut restrictions = read::restrictions(body.get("restrictions"), asked.place.now, keys)?;
        read::place_this(&mut restrictions, &asked.address());
        Ok(Child {
            name: body.text("name")?.map(str::to_owned),
            capabilities: capability::asked(body.get("capabilities"))?,
            restrictions,
            rotation: read::rotation(body.get("rotation"))?,
            issuer: body.text("oidc_issuer")?.map(str::to_owned),
            form: self.form(body.text("response_type")?),
            longest: body.number("max_token_len")?,
        })
    }

    /// What is left of it under the parent.
    fn inherited(&self, child: Child, parent: &Presented, now: i64) -> Result<Wish, Refusal> {
        let held = &parent.claims.capabilities;
        let capabilities = match child.capabilities {
            None => held.clone(),
            Some(wanted) => capability::common(held, wanted),
        };
        if capabilities.is_empty() {
            let words = "mytoken to be issued cannot have any of the requested capabilities";
            return Err(Refusal::invalid_request(words));
        }
        let mut wanted = child.restrictions;
        let provider = self.provider(&parent.claims.oidc_iss);
        if let Some(longest) = provider.and_then(|provider| provider.longest_life) {
            shorten(&mut wanted, now.saturating_add(longest));
        }
        Ok(Wish {
            issuer: parent.claims.oidc_iss.clone(),
            name: child.name,
            capabilities,
            restrictions: tightened(&parent.claims.restrictions, wanted),
            rotation: child.rotation,
        })
    }

    /// Makes it, counts, writes the events, rotates the parent: all or nothing. An unrestricted parent rotates
    /// too, unlike at its history and lists.
    fn give_birth(
        &self,
        asked: &Asked,
        presented: &Presented,
        wish: Wish,
        form: Form,
        longest: i64,
    ) -> Result<Response, Refusal> {
        let now = asked.place.now;
        if wish.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(Refusal::internal("Error 1406 (22001): Data too long for column 'comment' at row 1"));
        }
        let mut table = self.table();
        let row = table.rows.get(&presented.mom_id).ok_or_else(Refusal::dead)?;
        self.not_overtaken(row, presented)?;
        let clause = self.permitted(row, &Use::Other, asked)?;
        let update = self.rotated(&mut table, presented, asked, false)?;
        let (mom_id, version) =
            self.child(&mut table, &presented.mom_id, wish, |what, comment| asked.event(what, comment))?;
        if let (Some(clause), Some(row)) = (clause, table.rows.get_mut(&presented.mom_id)) {
            count(&mut row.counters, &clause, &Use::Other);
        }
        let form = self.fitting(form, longest, &version);
        let text = self.handed_over(&mut table, &mom_id, &version, form, now)?;
        let claims = &table.rows.get(&mom_id).ok_or_else(Refusal::dead)?.claims;
        let given = self.described(claims, form, &text, now);
        Ok(Update::answer(update, 200, given))
    }

    /// Puts a mytoken under `parent`, whose user, provider and refresh token are its own too, and the events of
    /// that into both histories.
    pub(crate) fn child(
        &self,
        table: &mut Table,
        parent: &str,
        wish: Wish,
        event: impl Fn(&'static str, String) -> Event,
    ) -> Result<(String, Secret), Refusal> {
        let row = table.rows.get_mut(parent).ok_or_else(Refusal::dead)?;
        let (subject, login) = (row.claims.oidc_sub.clone(), row.login);
        let named = wish.name.as_deref().filter(|name| !name.is_empty());
        let comment = named.map_or_else(|| "Created MT".to_owned(), |name| format!("Created MT {name}"));
        row.events.push(event("MT_created", comment));
        let events = vec![
            event("created", "Used grant_type mytoken".to_owned()),
            event("inherited_RT", "Got RT from parent".to_owned()),
        ];
        self.row(table, wish, &subject, login, Some(parent.to_owned()), events)
    }
}
