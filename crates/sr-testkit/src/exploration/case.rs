//! What is explored: who takes part, what may go wrong, and which rule is broken.

use std::fmt;

/// One exploration: the rules, the server, and how much may happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "its parts are all there is to choose")]
pub struct Case {
    /// What the server does when a spent refresh token comes again.
    pub mode: ServerMode,
    /// How much may happen.
    pub scope: Scope,
    /// By which rules the grant is kept.
    pub variant: Variant,
}

/// What the server does when a spent refresh token comes again.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the three that are known of servers")]
pub enum ServerMode {
    /// It refuses, and revokes what it issued since.
    Family,
    /// It gives the same successor again, for ten minutes.
    Grace,
    /// It refuses.
    Strict,
}

/// How much may happen in one run: every order of it is tried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "its parts are all there is to choose")]
pub struct Scope {
    /// How many processes may die; each comes back, at any time.
    pub crashes: u8,
    /// How many requests or answers on the network may be lost or late.
    pub drops: u8,
    /// How many operations of the store may fail, with a known outcome or an unknown one.
    pub faults: u8,
    /// How many odd things may happen: an answer that is none of the two usual ones, a word of a
    /// person, a 401 from the API, a clock that is set, a shutdown.
    pub oddities: u8,
    /// How many processes may stand still, for any time.
    pub pauses: u8,
    /// How many processes share the grant.
    pub processes: u8,
    /// How often callers ask for a new access token.
    pub rotations: u8,
}

/// By which rules the grant is kept. All but the first are wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each is explored, and all but one must fail")]
pub enum Variant {
    /// By those of [`sr_auth_core::store`].
    AsDesigned,
    /// A commit is taken only while its owner's intent stands.
    CommitFencedByEpoch,
    /// A death that was inferred moves the generation on.
    DeathBumpsGeneration,
    /// An intent is a lease of half a minute: at its end another may present.
    LeaseEnds,
    /// The intent of a process is gone as soon as the process is.
    LockFreedByDeadOwner,
}

impl Variant {
    /// All of them, the good one first.
    pub const ALL: [Self; 5] = [
        Self::AsDesigned,
        Self::CommitFencedByEpoch,
        Self::DeathBumpsGeneration,
        Self::LeaseEnds,
        Self::LockFreedByDeadOwner,
    ];

    /// Tells whether no promise may break under these rules.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::AsDesigned)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { crashes, drops, faults, oddities, pauses, processes, rotations } = self;
        write!(f, "{processes} processes, {rotations} rotations")?;
        let counts = [
            (crashes, "crash", "crashes"),
            (drops, "drop", "drops"),
            (pauses, "pause", "pauses"),
            (faults, "fault", "faults"),
            (oddities, "oddity", "oddities"),
        ];
        for (count, one, several) in counts {
            match count {
                0 => {}
                1 => write!(f, ", 1 {one}")?,
                _ => write!(f, ", {count} {several}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsDesigned => "as designed",
            Self::CommitFencedByEpoch => "commit fenced by epoch",
            Self::DeathBumpsGeneration => "death bumps the generation",
            Self::LeaseEnds => "presentation at the end of a lease",
            Self::LockFreedByDeadOwner => "lock freed by a dead owner",
        })
    }
}
