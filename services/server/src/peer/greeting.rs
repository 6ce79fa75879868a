//! The first frame of a stream: who speaks to whom, in which cluster, out of which store.

use super::Myself;
use crate::versions::{CannotApply, range};
use berth_domain::id::MemberId;
use berth_domain::version::{APPLIES, VersionRange};
use berth_proto::peer::v1::Frame;

/// What the first frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Who speaks.
    pub from: MemberId,
    /// Its store's uuid.
    pub store: [u8; 16],
    /// Which cluster versions its program applies.
    pub applies: VersionRange,
}

/// Why a sender is turned away. The sentence is for the sender's log: it says what to do there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// No greeting at all.
    #[error("the first frame does not say who speaks")]
    Unnamed,
    /// Of another cluster.
    #[error(
        "cluster {theirs} speaks to cluster {ours}: check the member list, one of the endpoints belongs to another cluster"
    )]
    OtherCluster {
        /// The sender's.
        theirs: String,
        /// The receiver's.
        ours: String,
    },
    /// For another member.
    #[error(
        "member {to} was called, but this is member {me}: check the peer endpoints of the member list"
    )]
    Misdirected {
        /// Whom the sender meant.
        to: MemberId,
        /// Who the receiver is.
        me: MemberId,
    },
    /// Not a member, or not any more.
    #[error("{0} is not a member of this cluster: start it with --rejoin to join as a new one")]
    NoMember(MemberId),
    /// A member's id out of another store: wiped, copied, or restored from a backup.
    #[error(
        "member {0} has another store than the one it was registered with: its promises are lost with the old one, \
         so it may not vote under its old id; start it with --rejoin to join as a new member"
    )]
    OtherStore(MemberId),
    /// An older program, or one that is far too new.
    #[error("member {member}: {reason}")]
    CannotApply {
        /// Who.
        member: MemberId,
        /// Why.
        reason: CannotApply,
    },
    /// The certificate is another member's.
    #[error("member {member} is named {name}, but the certificate says {certificate}")]
    OtherCertificate {
        /// Who it says it is.
        member: MemberId,
        /// How that one is named.
        name: String,
        /// How the certificate names it.
        certificate: String,
    },
}

// === impl Greeting ===

impl Greeting {
    /// The first frame that `me` sends to a member.
    pub fn frame(me: &Myself, to: MemberId) -> Frame {
        Frame {
            cluster_id: me.cluster_id.clone(),
            from: me.member.0,
            to: to.0,
            store: me.store.to_vec().into(),
            messages: Vec::new(),
            vitals: None,
            lowest_version: APPLIES.lowest.0,
            highest_version: APPLIES.highest.0,
        }
    }

    /// Reads one that came to `me`.
    pub fn read(me: &Myself, frame: &Frame) -> Result<Self, Stranger> {
        let store: Result<[u8; 16], _> = frame.store.as_ref().try_into();
        let (Ok(store), 1..) = (store, frame.from) else {
            return Err(Stranger::Unnamed);
        };
        if frame.cluster_id != me.cluster_id {
            return Err(Stranger::OtherCluster {
                theirs: frame.cluster_id.clone(),
                ours: me.cluster_id.clone(),
            });
        }
        if frame.to != me.member.0 {
            let to = MemberId(frame.to);
            return Err(Stranger::Misdirected { to, me: me.member });
        }
        let from = MemberId(frame.from);
        let applies = range(frame.lowest_version, frame.highest_version);
        Ok(Self {
            from,
            store,
            applies,
        })
    }
}

/// Whether a certificate's name is that of the member it speaks for; without certificates everybody's is.
pub fn check_certificate(member: MemberId, name: &str, certificate: &str) -> Result<(), Stranger> {
    if certificate.is_empty() || certificate == name {
        return Ok(());
    }
    Err(Stranger::OtherCertificate {
        member,
        name: name.into(),
        certificate: certificate.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(member: u64, store: u8) -> Myself {
        Myself {
            cluster_id: "c".into(),
            member: MemberId(member),
            store: [store; 16],
        }
    }

    /// Promise: a greeting is read as it was meant, by whom it was meant for, and by nobody else.
    #[test]
    fn a_greeting_is_for_one_receiver() {
        let frame = Greeting::frame(&me(1, 7), MemberId(2));
        let read = Greeting::read(&me(2, 8), &frame).expect("meant for it");
        assert_eq!((read.from, read.store), (MemberId(1), [7; 16]));
        assert_eq!(read.applies, APPLIES);
        let other = Greeting::read(&me(3, 8), &frame).expect_err("not meant for it");
        assert!(
            other
                .to_string()
                .contains("member 2 was called, but this is member 3")
        );
        let elsewhere = Myself {
            cluster_id: "d".into(),
            ..me(2, 8)
        };
        let stranger = Greeting::read(&elsewhere, &frame).expect_err("another cluster");
        assert!(
            stranger
                .to_string()
                .contains("cluster c speaks to cluster d")
        );
    }

    /// Promise: a frame without a greeting names nobody.
    #[test]
    fn a_frame_without_a_greeting_is_nobodys() {
        assert_eq!(
            Greeting::read(&me(2, 8), &Frame::default()),
            Err(Stranger::Unnamed)
        );
        let mut frame = Greeting::frame(&me(1, 7), MemberId(2));
        frame.store = vec![7; 15].into();
        assert_eq!(Greeting::read(&me(2, 8), &frame), Err(Stranger::Unnamed));
    }

    /// Promise: a replica's certificate speaks for that replica only.
    #[test]
    fn a_certificate_speaks_for_its_own_member() {
        check_certificate(MemberId(1), "berth-1", "berth-1").expect("its own");
        check_certificate(MemberId(1), "berth-1", "").expect("clear text");
        let refused = check_certificate(MemberId(1), "berth-1", "berth-2").expect_err("another's");
        assert!(refused.to_string().contains("the certificate says berth-2"));
    }
}
