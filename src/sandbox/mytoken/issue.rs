//! Making a mytoken: after a login, or directly for tests and the demo.

use super::claims::{Claims, user};
use super::random::{uuid, uuid_text};
use super::refusal::Refusal;
use super::restriction::{Clause, end, start};
use super::rotation::Rotation;
use super::table::{Event, Form, Row, Table, Wish};
use super::{Error, Mytokens};
use crate::domain::secret::Secret;

/// A mytoken to be issued directly, as if a login had happened at [`Order::issuer`].
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Its name, if it shall have one.
    pub name: Option<String>,
    /// Its capabilities; empty: `AT` and `tokeninfo`.
    pub capabilities: Vec<String>,
    /// Its restrictions; empty: none.
    pub restrictions: Vec<Clause>,
    /// Its rotation.
    pub rotation: Option<Rotation>,
    /// The provider; empty: the guest provider.
    pub issuer: String,
    /// The user's subject at the provider; empty: `demo-user`.
    pub subject: String,
    /// The refresh token behind it. The guest provider takes any.
    pub refresh_token: Option<Secret>,
    /// Whether it is given out as a short token.
    pub short: bool,
    /// The `mom_id` of the mytoken it is made from: that one's user, provider and refresh token are its own.
    pub parent: Option<String>,
}

/// A mytoken that was issued directly.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The mytoken: a JWT or a short token.
    pub mytoken: Secret,
    /// Its id.
    pub mom_id: String,
}

impl Mytokens {
    /// Issues a mytoken without a login and without a request.
    ///
    /// # Errors
    /// When its parent is not there or it cannot be signed.
    pub fn issue(&self, order: Order) -> Result<Issued, Error> {
        let now = self.now();
        let event = |what, comment: &str| sandbox_event(what, comment, now);
        let or = |text: String, fallback: &str| if text.is_empty() { fallback.to_owned() } else { text };
        let mut capabilities = order.capabilities;
        if capabilities.is_empty() {
            capabilities = super::capability::DEFAULT.map(str::to_owned).to_vec();
        }
        let mut wish = Wish {
            issuer: or(order.issuer, &self.settings().guest_issuer()),
            name: order.name,
            capabilities,
            restrictions: order.restrictions,
            rotation: order.rotation,
        };
        let subject = or(order.subject, "demo-user");
        let mut table = self.table();
        let made = match order.parent {
            None => {
                let refresh_token = order.refresh_token.unwrap_or_else(|| Secret::new("any"));
                let created = event("created", "Used grant_type oidc_flow authorization_code");
                // As after every login whose polling code was redeemed.
                let collected = event("transfer_code_used", "");
                self.root(&mut table, wish, &subject, refresh_token, vec![created, collected])
            }
            Some(parent) => {
                let row = table.rows.get(&parent).ok_or(Error::Unknown)?;
                wish.issuer.clone_from(&row.claims.oidc_iss);
                self.child(&mut table, &parent, wish, |what, comment| event(what, &comment))
            }
        };
        let (mom_id, version) = made.map_err(|_| Error::Signing)?;
        let form = if order.short { Form::Short } else { Form::Token };
        let text = self.handed_over(&mut table, &mom_id, &version, form, now).map_err(|_| Error::Signing)?;
        Ok(Issued { mytoken: Secret::new(text), mom_id })
    }

    /// Makes the next version of a mytoken, as if it had been used, and gives its JWT: the one before is
    /// dead.
    ///
    /// # Errors
    /// When it is not there or cannot be signed.
    pub fn rotate(&self, mom_id: &str) -> Result<Secret, Error> {
        let mut table = self.table();
        let row = table.rows.get_mut(mom_id).ok_or(Error::Unknown)?;
        let claims = row.claims.next(self.now());
        let version = Secret::new(self.key().signed("MT+JWT", &claims).map_err(|_| Error::Signing)?);
        row.claims = claims;
        row.current = version.clone();
        row.events.push(sandbox_event("token_rotated", "", self.now()));
        Ok(version)
    }

    /// A mytoken from a login, with a refresh token of its own.
    pub(crate) fn root(
        &self,
        table: &mut Table,
        wish: Wish,
        subject: &str,
        refresh_token: Secret,
        events: Vec<Event>,
    ) -> Result<(String, Secret), Refusal> {
        table.last_login += 1;
        let login = table.last_login;
        let made = self.row(table, wish, subject, login, None, events)?;
        table.refresh.insert(login, refresh_token);
        Ok(made)
    }

    /// Signs a mytoken and writes it down. `events` are its history; the first is its making.
    pub(crate) fn row(
        &self,
        table: &mut Table,
        wish: Wish,
        subject: &str,
        login: u64,
        parent: Option<String>,
        events: Vec<Event>,
    ) -> Result<(String, Secret), Refusal> {
        let now = self.now();
        let auth_time =
            parent.as_ref().and_then(|parent| table.rows.get(parent)).map(|row| row.claims.auth_time);
        let claims = Claims {
            ver: "0.7".to_owned(),
            token_type: "mytoken".to_owned(),
            iss: self.settings().issuer.clone(),
            aud: self.settings().issuer.clone(),
            sub: user(subject, &wish.issuer),
            exp: end(&wish.restrictions),
            nbf: start(&wish.restrictions).unwrap_or_default().max(now),
            iat: now,
            auth_time: auth_time.unwrap_or(now),
            jti: uuid_text(uuid()?),
            seq_no: 1,
            name: wish.name.filter(|name| !name.is_empty()),
            oidc_sub: subject.to_owned(),
            oidc_iss: wish.issuer,
            capabilities: wish.capabilities,
            restrictions: wish.restrictions,
            rotation: wish.rotation,
        };
        let version = Secret::new(self.key().signed("MT+JWT", &claims)?);
        let mom_id = claims.mom_id();
        table.last_row += 1;
        let row = Row {
            number: table.last_row,
            claims,
            current: version.clone(),
            parent,
            login,
            counters: super::restriction::Counters::new(),
            events,
        };
        table.rows.insert(mom_id.clone(), row);
        Ok((mom_id, version))
    }
}

fn sandbox_event(what: &'static str, comment: &str, time: i64) -> Event {
    Event {
        what,
        comment: comment.to_owned(),
        time,
        ip: "127.0.0.1".to_owned(),
        user_agent: "toktui sandbox".to_owned(),
    }
}
