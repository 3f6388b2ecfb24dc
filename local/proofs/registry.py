"""Every slow proof: one line here, and a function that returns what it found."""

from __future__ import annotations

from local.proofs.bench.at_scale import prove_lake_at_scale
from local.proofs.copy_storm import prove_copy_storm
from local.proofs.crash_walk.proof import prove_crash_walk, prove_run_walk
from local.proofs.edge.proof import prove_edge
from local.proofs.guards.proof import prove_guards
from local.proofs.mutants import proof as mutants
from local.proofs.odd_answers import proof as odd_answers
from local.proofs.privacy_attack.proof import prove_trimming
from local.proofs.proof import Proof
from local.proofs.race import proofs as race
from local.proofs.scale.proof import prove_scale
from local.proofs.stack.burst import prove_burst
from local.proofs.stack.catalogue import prove_catalogue
from local.proofs.stack.demos import prove_demos
from local.proofs.stack.disks import prove_disk
from local.proofs.stack.lifecycle import prove_killed, prove_two_systems
from local.proofs.stack.newcomer import prove_newcomer
from local.proofs.stack.night import prove_night
from local.proofs.stack.sunday import prove_sunday

PROOFS = (
    Proof("newcomer", "A newcomer who follows the last line of make up sees a copy in a minute", 90, prove_newcomer),
    Proof("killed", "The system comes up after kill -9 of everything, in a path of 150 characters", 420, prove_killed),
    Proof("two_systems", "Two systems run side by side; the same one twice is refused", 150, prove_two_systems),
    Proof("disk", "On a full or read-only disk make up says what to do; with space it continues", 250, prove_disk),
    Proof("demos", "Ten demos in a row, without a stall, in time and memory", 450, prove_demos),
    Proof("tokens", "Tokens survive racing and killed processes on both stores", 300, race.tokens),
    Proof("quota", "Many processes keep to a day's quota and use it up, on both stores", 300, race.quota),
    Proof("writers", "The ledger matches Strava in the end, whichever process stalls or dies", 300, race.writers),
    Proof("month", "Many processes write one month of the lake and lose no row", 300, race.month),
    Proof("lake", "Lake objects survive writes, removals and erasures with processes killed", 300, race.lake),
    Proof("copies", "A child has each copy once, whichever process dies, on both stores", 400, race.copies),
    Proof("crash_walk", "A copy killed at any of its points ends as one activity", 120, prove_crash_walk),
    Proof("run_walk", "A run disturbed at any of its points is completed by the ledgers", 600, prove_run_walk),
    Proof("odd_answers_sqlite", "Every odd answer to every call destroys nothing", 180, odd_answers.prove_on_sqlite),
    Proof("odd_answers_dynamodb", "The same with its state in DynamoDB", 550, odd_answers.prove_on_dynamodb),
    Proof("trimming", "Fitted circles miss the doors that copies hide", 150, prove_trimming),
    Proof("mutants_state", "The tests notice broken lines of the ledgers and stores", 500, mutants.state),
    Proof("mutants_pipeline", "The tests notice broken lines of the use cases", 600, mutants.pipeline),
    Proof("mutants_lake", "The tests notice broken lines of the lake and of copies' files", 600, mutants.lake),
    Proof("guards", "The tests notice each guard of the web edge that is taken out", 400, prove_guards),
    Proof("mutants_dags", "The tests notice broken lines of DAGs", 600, mutants.dags),
    Proof(
        "copy_storm",
        "2,000 activities reach three children, two of whom were refused for a while",
        600,
        prove_copy_storm,
    ),
    Proof(
        "lake_at_scale",
        "2,000 activities are written and queried in constant memory",
        300,
        prove_lake_at_scale,
    ),
    Proof("edge", "Nothing that other clients do delays the webhook", 65, prove_edge),
    Proof("scale", "What each kind of work reads and writes with 10, 1,000 and 10,000 athletes", 300, prove_scale),
    # These run on one stack, which is up from the first of them to the end of the command.
    Proof("burst", "60 events at once, then 60 renames at once, on PostgreSQL and on SQLite", 300, prove_burst),
    Proof("catalogue", "Events that arrive while the catalogue runs reach its next run", 120, prove_catalogue),
    Proof("sunday", "2,000 events of 400 athletes on the stack of make up", 400, prove_sunday),
    Proof("night", "Retention and audit of 1,500 athletes on the stack of make up", 500, prove_night),
)
