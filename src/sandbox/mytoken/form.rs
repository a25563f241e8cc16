//! In which form a mytoken is given out: as a JWT, as a short token, or behind a transfer code (§2.3.1).

use super::Mytokens;
use super::random::letters;
use super::refusal::Refusal;
use super::table::{Code, CodeState, Form, Short, Table};
use crate::domain::secret::Secret;

impl Mytokens {
    /// The form a `response_type` asks for. Unknown ones are a JWT, and so is a short token that is switched
    /// off.
    pub(crate) fn form(&self, response_type: Option<&str>) -> Form {
        match response_type {
            Some("short_token") if self.settings().short_tokens => Form::Short,
            Some("transfer_code") => Form::TransferCode,
            _ => Form::Token,
        }
    }

    /// The form of which `version` fits into `longest` characters (`max_token_len`; 0: any), else `asked`.
    pub(crate) fn fitting(&self, asked: Form, longest: i64, version: &Secret) -> Form {
        let settings = self.settings();
        let fits = |length: usize| usize::try_from(longest).is_ok_and(|longest| length <= longest);
        match longest {
            ..=0 => asked,
            _ if fits(version.len()) => Form::Token,
            _ if settings.short_tokens && fits(settings.short_length) => Form::Short,
            _ if settings.transfer_codes => Form::TransferCode,
            _ => Form::Token,
        }
    }

    /// What is handed over for `version` in this form. A short token or code is written into the table.
    pub(crate) fn handed_over(
        &self,
        table: &mut Table,
        mom_id: &str,
        version: &Secret,
        form: Form,
        now: i64,
    ) -> Result<String, Refusal> {
        let (mom_id, version) = (mom_id.to_owned(), version.clone());
        Ok(match form {
            Form::Token => version.expose().to_owned(),
            Form::Short => {
                let text = letters(self.settings().short_length)?;
                table.shorts.insert(text.clone(), Short { mom_id, version });
                text
            }
            Form::TransferCode => {
                let text = letters(self.settings().code_length)?;
                let state = CodeState::Ready { mom_id, version, form: Form::Token, is_login: false };
                let expires = now.saturating_add(self.settings().polling_life);
                table.codes.insert(text.clone(), Code { expires, state, is_answer: true });
                text
            }
        })
    }
}
