//! What two sides have agreed to exchange.

use std::collections::HashMap;

use event_core::private::Pattern;

use super::frame::Hello;
use crate::wire::access::Right;
use crate::wire::error::{Mismatch, WireError};
use crate::wire::shape::Offer;

/// What is exchanged, by the places in both sides' offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Of each offer of this side, whether the peer wants it.
    pub outgoing: Vec<bool>,
    /// Of each offer of the peer, which want of this side it is.
    pub incoming: Vec<Option<usize>>,
}

impl Terms {
    /// Compares what this side declares with what the peer does.
    ///
    /// # Errors
    ///
    /// [`WireError::BadTopic`] and [`WireError::Mismatch`], with all that do not fit.
    pub fn agree(offers: &[Offer], wants: &[Offer], peer: &Hello) -> Result<Self, WireError> {
        let theirs = by_topic(&peer.offers)?;
        let wanted = by_topic(&peer.wants)?;
        let mut mismatches = Vec::new();
        let mut pair = |peer, here: &Offer, there: &Offer| {
            let same = here.version == there.version && here.shape == there.shape;
            if !same {
                mismatches.push(Mismatch {
                    peer,
                    here: here.clone(),
                    there: there.clone(),
                });
            }
            same
        };
        let mut outgoing = Vec::with_capacity(offers.len());
        for here in offers {
            let there = wanted.get(here.topic.as_str());
            outgoing.push(there.is_some_and(|at| pair(Right::Subscribe, here, &peer.wants[*at])));
        }
        let mut incoming = vec![None; peer.offers.len()];
        for (index, here) in wants.iter().enumerate() {
            if let Some(at) = theirs.get(here.topic.as_str()) {
                if pair(Right::Publish, here, &peer.offers[*at]) {
                    incoming[*at] = Some(index);
                }
            }
        }
        if mismatches.is_empty() {
            Ok(Self { outgoing, incoming })
        } else {
            Err(WireError::Mismatch(mismatches))
        }
    }

    /// The topics of this side's offers that the peer does not want.
    pub fn unwanted(&self, offers: &[Offer]) -> Vec<String> {
        let offers = offers.iter().zip(&self.outgoing);
        let unwanted = offers.filter(|(_, wanted)| !**wanted);
        unwanted.map(|(offer, _)| offer.topic.clone()).collect()
    }

    /// The topics of this side's wants that the peer does not offer.
    pub fn unoffered(&self, wants: &[Offer]) -> Vec<String> {
        let mut offered = vec![false; wants.len()];
        for at in self.incoming.iter().flatten() {
            offered[*at] = true;
        }
        let wants = wants.iter().zip(offered);
        let unoffered = wants.filter(|(_, offered)| !offered);
        unoffered.map(|(want, _)| want.topic.clone()).collect()
    }

    /// Each topic that is exchanged, with the right that the peer needs for it.
    pub fn rights<'a>(
        &'a self,
        offers: &'a [Offer],
        wants: &'a [Offer],
    ) -> impl Iterator<Item = (Right, &'a str)> {
        let incoming = self.incoming.iter().flatten();
        let incoming = incoming.map(|at| (Right::Publish, wants[*at].topic.as_str()));
        let outgoing = offers.iter().zip(&self.outgoing);
        let outgoing = outgoing
            .filter(|(_, wanted)| **wanted)
            .map(|(offer, _)| (Right::Subscribe, offer.topic.as_str()));
        incoming.chain(outgoing)
    }
}

fn by_topic(offers: &[Offer]) -> Result<HashMap<&str, usize>, WireError> {
    let mut places = HashMap::with_capacity(offers.len());
    for (index, offer) in offers.iter().enumerate() {
        let topic = offer.topic.as_str();
        let bad = |why: String| WireError::BadTopic {
            topic: topic.chars().take(64).collect(),
            why,
        };
        if let Some(why) = Pattern::not_a_topic(topic) {
            return Err(bad(why));
        }
        if places.insert(topic, index).is_some() {
            return Err(bad("it is there twice".to_owned()));
        }
    }
    Ok(places)
}
