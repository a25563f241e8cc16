//! What the Mytoken pane knows: the verdict on the selected row or on something pasted.

use std::collections::HashMap;

use super::effect::{Finding, Task};
use crate::domain::credential::CredentialId;
use crate::domain::specimen::Specimen;

/// Pane 3.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// Something pasted, on show instead of the selected row until Esc.
    pub pasted: Option<Pasted>,
    /// What was last found about each held credential.
    pub found: HashMap<CredentialId, Finding>,
    /// The look-up under way.
    pub task: Option<Task>,
    /// The first line on screen.
    pub offset: usize,
}

/// Something pasted.
#[derive(Clone, Debug)]
pub struct Pasted {
    /// The text and its kind.
    pub specimen: Specimen,
    /// What was found about it, once that is known.
    pub finding: Option<Finding>,
}
