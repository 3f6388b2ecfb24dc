"""`docs/trimming.md`: how well copies hide where recordings begin and end, in figures, and what they do not hide."""

from __future__ import annotations

from collections.abc import Mapping

from local.docs.markdown import table
from local.proofs.privacy_attack.circle_fit import OUTINGS, AttackResult, attack
from local.proofs.privacy_attack.proof import DOORS
from local.proofs.privacy_attack.rules import RADIUS_M

SEED = 2026

_HEAD = """# How copies hide a place, and what they do not hide

Made by `make docs`: the figures come from running `local/proofs/privacy_attack`, seed {seed}. {doors} doors are drawn
at random, and {outings} outings from each: they leave by one way and return by another, begin and end some metres from
the door, and every third one passes it in between. Each rule hides {radius_m} m. Then an attacker who has all written
tracks fits a circle to their cut ends, and guesses that its centre is the door.

"""

_RULES: Mapping[str, str] = {
    "by distance travelled": "the first and last metres travelled (until November 2026)",
    "an exact circle": "the circle around either end",
    "a moved circle": "a wider circle with a displaced centre, one for each place (now)",
}

_TAIL = """
## The rule

- The ends are the first and the last valid position. Every point within the radius of either, in a straight line, is
  left out, wherever it comes in the recording; the next point begins a new segment, and the gap adds no distance.
- The points left out are those in a circle of 1¾ times the radius. Its centre is drawn once for each place and radius
  of an athlete, up to 0.65 of the radius from the end; it serves every end within 0.74 of the radius, so that a door
  that the next recording finds some metres away has the same circle. Two workers at once make one circle.
- Centres are encrypted with the cipher of the tokens in the table `places`, and erased with the athlete.
- A copy that would have fewer than two positions has none, and its description says so.
- Where the parent has chosen no radius, it is 200 m while full tracks may be read, and otherwise 0: then Strava itself
  crops the athlete's privacy zones. The present grant decides, at each copy.

## What is not hidden

- **That the door is in the circle**, within about 0.7 of the radius from its centre. Somebody who knows the rule, and
  the circle to a metre, learns no more from the cut ends of copies, however many there are.
- **Directions.** Where tracks lead straight away from the door, their cut ends point back to it.
- **An end that varies.** An athlete who starts sometimes at the door and sometimes at the garage, farther apart than
  about a tenth of the radius, may get two circles; the door is where both could have been drawn from. The same is true
  of a second radius, for another child or after a change, for somebody who has copies with both.
- **Time.** A copy keeps its times of day. Somebody who also sees when the parent's own activity began learns how long
  the hidden part took, and from a usual speed about how long it is: so far along the way the door is from the first
  point of the copy.
- **Streets.** Where only one road leads into the circle, or only one house is in it, the circle hides nothing.
- **Elevation.** The elevation of the first written point is written, not that of the door. A copy without positions has
  the whole elevation profile with its distance; somebody who knows the area can match it with a map.
- **Heart rate, power, temperature, cadence and speed** of all written points, as the link chooses.
- **The original.** The copy's description links to it unless the link says otherwise; whoever may see it at Strava sees
  what Strava shows. A title may name a place.
- **A false first position.** Receivers sometimes begin with the position where they were switched off. The circle is
  then there.
- **Copies made before.** Uploaded copies stay as they are.
"""


def render() -> str:
    """The page; the attack takes minutes."""
    head = _HEAD.format(seed=SEED, doors=DOORS, outings=OUTINGS, radius_m=RADIUS_M)
    return head + figures(attack(DOORS, SEED)) + "\n" + _TAIL


def figures(found: Mapping[str, AttackResult]) -> str:
    """The table with the attack's result under each rule."""
    return table(
        ("left out", "nearest written point to an end", "the fitted centre misses by", "found to within 20 m"),
        [
            (_RULES[name], f"{each.nearest_m:.1f} m", f"{each.miss_m:.1f} m", f"{each.share_within(20):.0%}")
            for name, each in found.items()
        ],
    )
