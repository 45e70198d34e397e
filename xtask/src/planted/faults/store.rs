//! Faults of the store. The testkit has them; here stands what they break.

/// The name in the testkit, and the promises.
pub(super) const FAULTS: [(&str, &[&str]); 19] = [
    ("AdoptKeepsGeneration", &["EndIsFinal"]),
    ("AnswersBeforeDurable", &["AcknowledgedWhenDurable", "CommitFollowsGeneration"]),
    ("ArmForgetsIntent", &["IntentComesFirst"]),
    ("ArmIgnoresIntents", &["TakeOverIsQuiet"]),
    ("ArmIgnoresQuiet", &["TakeOverIsQuiet"]),
    ("ArmShowsOldTokens", &["PresentsTheNewest"]),
    ("BuryBumpsGeneration", &["DeathIsVerified"]),
    ("BuryIgnoresGeneration", &["DeathIsVerified"]),
    ("CommitFencedByEpoch", &["CommitFollowsGeneration"]),
    ("CommitIgnoresGeneration", &["CommitFollowsGeneration"]),
    ("CommitKeepsOldAccess", &["TokensBelongTogether"]),
    ("CommitRefusedByDeath", &["CommitFollowsGeneration"]),
    ("DisarmRemovesAnyIntent", &["IntentIsItsOwners"]),
    ("EndKeepsGeneration", &["EndIsFinal"]),
    ("EscrowForgets", &["SuccessorIsKept"]),
    ("LoadMixesKeys", &["NoCrossTalk"]),
    ("LockFreedByDeadOwner", &["TakeOverIsQuiet"]),
    ("PulseHidesChanges", &["EndIsHeard"]),
    ("PulseHidesRestore", &["EndIsHeard", "NoAvoidableLoss"]),
];
