//! toktui: a full-screen terminal board for `OpenID` Connect tokens and mytokens. This page is the map.
//!
//! ```text
//!  toktui  3 live  1 ending  1 dead                                  12:04 UTC     ui/header.rs
//! ╭─ 1 Providers ────────╮╭─ 2 Tokens ────────────────────────── 2 of 7 ─╮
//! │  app/providers.rs    ││  app/tokens.rs    what it knows              │
//! │  ui/providers.rs     ││  ui/tokens.rs     how it looks               │
//! ╰──────────────────────╯╰──────────────────────────────────────────────╯
//! ╭─ 3 Mytoken toar ───────────────────╮╭─ 4 History toar ───────────────╮
//! │  app/lookup.rs   ui/lookup.rs      ││  app/history.rs  ui/history.rs │
//! │  domain/verdict/ is it valid? why? ││  domain/event.rs               │
//! ╰────────────────────────────────────╯╰────────────────────────────────╯
//!  app/notice.rs                                                    message line
//!  app/keys.rs: every key, once                                           footer
//! ```
//!
//! A key, a task's answer or a moment that has come becomes a [`app::message::Message`]; [`app::update::update`] is the one function
//! that changes the [`app::state::State`] and says what is asked of the world, as [`app::effect::Effect`]s; [`ui::draw`] makes the
//! frame. [`runtime`] turns effects into calls of the [`wallet`]'s verbs and of the [`desktop`], and their answers into
//! [`app::effect::Outcome`]s.
//!
//! The rooms, and what each may name (`tests/layers.rs` holds the source to it):
//!
//! | Room | Is | May name |
//! | --- | --- | --- |
//! | `main` | the door | everything |
//! | [`cli`] | one file a command | `desktop` `wallet` and below, `sandbox` |
//! | [`runtime`] | the loop | `ui` `app` `desktop` `wallet` and below |
//! | [`ui`] | state in, frame out | `app` `domain` |
//! | [`app`] | what the board knows and how it changes | `domain` |
//! | [`desktop`] | terminal, input, clock, browser, clipboard | `domain` |
//! | [`wallet`] | the verbs: each locks, asks, saves, answers | `oidc` `mytoken` `store` `config` `http` `domain` |
//! | [`oidc`] [`mytoken`] [`store`] [`config`] | protocols and files, strangers to each other | `http` `domain` |
//! | [`http`] | the one HTTP client | `domain` |
//! | [`domain`] | what a provider, a credential, a mytoken, a verdict, a moment is | nothing |
//! | [`sandbox`] | a provider and a mytoken server in this process | `oidc` `mytoken` `http` `domain` |
//!
//! Where to change …
//!
//! * a key: `app/keys.rs`, and what it does in `app/update/`
//! * a column of the Tokens pane: `ui/tokens.rs`
//! * a provider or a mytoken profile: `assets/`
//! * the form for a new mytoken: `app/create/`, `ui/create/`; what it warns of and says in words: `domain/draft/`
//! * the windows of a user's mytokens: `app/family.rs`, `ui/family.rs`; a script to copy: `domain/snippet.rs`
//! * what is announced before it ends: `domain/ending.rs`; what a revocation is said to end: `domain/revocation.rs`, and `assets/` for one provider
//! * a verdict: `domain/verdict/`; the text of a countdown: `domain/time.rs`; how a span is typed: `domain/span.rs`

pub mod app;
pub mod cli;
pub mod config;
pub mod desktop;
pub mod domain;
pub mod http;
pub mod mytoken;
pub mod oidc;
pub mod runtime;
pub mod sandbox;
pub mod store;
pub mod ui;
pub mod wallet;
