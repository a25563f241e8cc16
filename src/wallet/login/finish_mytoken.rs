//! From an issued mytoken to a credential: kept first, then asked and granted are compared.

use std::sync::Arc;

use super::Line;
use super::consent::{Came, Made};
use super::finish::Kept;
use crate::domain::draft::Draft;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::Handed;
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::Form;
use crate::domain::source::{Source, SourceKind};
use crate::mytoken::Issued;
use crate::wallet::Wallet;
use crate::wallet::hand_over::ends;
use crate::wallet::new_mytoken::Asked;

impl Wallet {
    /// A login whose mytoken is handed out as a code.
    pub(super) async fn consent_to_code(
        self: &Arc<Self>,
        order: Order,
        source: &Source,
        mut line: Line,
        doing: &str,
    ) -> Result<Handed, Failure> {
        let draft = match (order.draft, &source.kind) {
            (Some(draft), _) => draft,
            (None, SourceKind::Profile(profile)) => profile.draft.clone(),
            (None, SourceKind::Server(_) | SourceKind::Issuer(_)) => Draft::default(),
        };
        let order = Order { draft: Some(Draft { form: Form::Code, ..draft }), ..order };
        let _alone = self.alone_at(&order, source, &mut line, doing).await?;
        let (made, came) = self.agreed(&order, source, line, doing).await?;
        match came {
            Came::Code(coded) => Ok(Handed {
                code: coded.code.code.clone(),
                ends: ends(self.now(), &coded.code),
                server: self.server_at(&made.address).map_or_else(|| source.id.clone(), |row| row.id),
                name: made.asked.name.clone().unwrap_or(made.name),
                address: made.address,
                mom_id: coded.facts.mom_id,
                itself: false,
                remarks: Vec::new(),
            }),
            // It is not lost: what came in another form than asked for is held here.
            Came::Mytoken(issued) => {
                let report = self.finish_mytoken(&made, *issued).await?;
                let why = "its server made no code";
                Err(Failure::new(Kind::Failed, doing, why)
                    .hint(format!("The mytoken is held here, as {}.", report.name)))
            }
        }
    }

    pub(super) async fn finish_mytoken(&self, made: &Made<'_>, issued: Issued) -> Result<Report, Failure> {
        let credential = self.as_credential(&issued, &made.source.id, &made.address, made.doing)?;
        let kept = if made.order.draft.is_some() {
            let (id, name) = self.keep_new(credential, &made.name, What::LoggedIn, made.doing).await?;
            Kept { id, name, beside: None }
        } else {
            self.keep_login(credential, made.order.name.as_deref(), made.doing).await?
        };
        let purpose = match &made.source.kind {
            SourceKind::Profile(_) => Some(made.source.name.as_str()),
            SourceKind::Server(_) | SourceKind::Issuer(_) => None,
        };
        let asked = Asked { wanted: &made.asked, server: &made.server, at: &made.source.name, purpose };
        let mut report = self.report((kept.id, kept.name), &asked, &issued);
        report.remarks.splice(0..0, kept.beside);
        Ok(report)
    }
}
