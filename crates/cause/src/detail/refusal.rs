//! Admission's refusals as details.

use model::Refusal;

use super::Detail;

impl From<&Refusal> for Detail {
    /// The refusal's own key and facts.
    fn from(refusal: &Refusal) -> Self {
        refusal
            .facts()
            .into_iter()
            .fold(Self::new(refusal.key().into()), |detail, (name, value)| detail.with(&name, value))
    }
}
