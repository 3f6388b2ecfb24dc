"""`docs/trimming.md`: what copies hide of where recordings begin and end, in figures, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping

from local.docs.markdown import table
from local.proofs.privacy_attack.circle_fit import OUTINGS, Found, hunt
from local.proofs.privacy_attack.proof import DOORS
from local.proofs.privacy_attack.rules import RADIUS_M

SEED = 2026

_HEAD = """# What copies hide of a place, and what they do not

Made by `make docs`: the figures come from running `local/proofs/privacy_attack`, seed {seed}. {doors} doors are
drawn, and {outings} outings from each: out by one way and back by another, found some metres from the door at either
end, every third one past it again in between. Each rule hides {radius_m} m. Then somebody who has all written tracks
fits a circle to where they are cut, and takes its middle for the door.

"""

_RULES: Mapping[str, str] = {
    "by distance travelled": "the first and last metres travelled (until November 2026)",
    "an exact circle": "the circle around either end",
    "a moved circle": "a wider circle around a moved middle, one for each place (now)",
}

_TAIL = """
## The rule

- The ends are the first and the last position that can be one. Everything within the radius of either is left out, as
  the crow flies, wherever in the recording it comes; what is left begins a new segment, and makes no distance over the
  hole.
- What is left out is a circle of 1¾ of the radius. Its middle is drawn once for each place and radius of an athlete, up
  to 0.65 of the radius away; it serves every end within 0.74 of it, so that a door found some metres away by the next
  recording has the same circle. Two workers at once make one.
- Middles are sealed with the cipher of the tokens in the table `places`, and erased with the athlete.
- A copy of which fewer than two positions would be left goes without positions, and says so.
- Where the parent chose no radius it is 200 m while full tracks may be read, and nothing beside Strava's own cropping
  while not. The present grant decides, at each copy.

## What is not hidden

- **That the door is in the circle**: a disc of about 0.7 of the radius around its middle. Who knows the rule, and the
  circle to a metre, learns no more than that from where copies are cut, however many there are.
- **Directions.** Tracks that lead straight away from the door point back to it where they are cut.
- **An end that wanders.** Who starts now at the door and now at the garage, farther apart than about a tenth of the
  radius, may get two circles, and the door lies where both could have come from. So does another radius, for another
  child or later, for whoever has copies of both.
- **Time.** A copy keeps its clock. Who also sees when the parent's own activity began learns how long the hidden part
  took, and with a usual speed about how long it is: the door lies about so far along from where the copy begins.
- **Streets.** Where only one road leads into the circle, or one house stands in it, the circle is no secret place.
- **Elevation.** The height at which a copy begins is written, not that of the door; where a copy goes without positions
  its whole profile is, with its distance, and can be laid over a map by who knows the neighbourhood.
- **Heart rate, power, temperature, cadence and speed** of all points that are left, as the link chooses.
- **The original.** The description links to it unless the link says otherwise; who may see it there sees what Strava
  shows. A title may name a place.
- **A false first position.** Receivers sometimes begin with where they were switched off. The circle is then there.
- **Copies made before.** What was uploaded stays as it was.
"""


def render() -> str:
    """The page; the hunt takes minutes."""
    head = _HEAD.format(seed=SEED, doors=DOORS, outings=OUTINGS, radius_m=RADIUS_M)
    return head + figures(hunt(DOORS, SEED)) + "\n" + _TAIL


def figures(found: Mapping[str, Found]) -> str:
    """The table of what was found under each rule."""
    return table(
        ("left out", "nearest written point to an end", "the fitted middle misses by", "found to within 20 m"),
        [
            (_RULES[name], f"{each.nearest_m:.1f} m", f"{each.miss_m:.1f} m", f"{each.share_within(20):.0%}")
            for name, each in found.items()
        ],
    )
