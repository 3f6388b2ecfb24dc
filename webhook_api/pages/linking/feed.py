"""What the others have done to an athlete's links and invitations, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from include.state.consent.feed import MOST_ENTRIES, FeedEntry, LinkAction, Side
from include.state.invites import Invite
from include.state.links import Link
from webhook_api.pages.foreign_text import foreign
from webhook_api.pages.linking.terms_table import one_of
from webhook_api.pages.times import day_text

_WORDS: Mapping[LinkAction, Markup] = {
    LinkAction.LINKED: Markup("{who} accepted your invitation."),
    LinkAction.CONFIRMED: Markup("{who} confirmed the link, so copies are made."),
    LinkAction.CHANGED: Markup("{who} changed {parts}."),
    LinkAction.PAUSED: Markup("{who} paused the link."),
    LinkAction.RESUMED: Markup("{who} resumed the link: copies are made again."),
    LinkAction.ENDED: Markup("{who} ended the link."),
    LinkAction.END_UNDONE: Markup("{who} undid the end of the link, so everything is as before."),
    LinkAction.PROPOSED: Markup("{who} asked for your yes to a change: {parts}."),
    LinkAction.ACCEPTED: Markup("{who} said yes to your change."),
    LinkAction.DECLINED: Markup("{who} said no to your change: what was agreed stays."),
    LinkAction.WITHDRAWN: Markup("{who} withdrew the change that was waiting for your yes."),
    LinkAction.PROPOSAL_REOPENED: Markup("{who} undid that, so the change waits for an answer again."),
}

_LINKED_BY_OPERATOR = Markup("{who} made the link.")

_PARTS: Mapping[str, str] = {
    "names": "the names",
    "starts_at_epoch_s": "the first day",
    "allow_private": "whether private activities are copied",
    "title": "the title of copies",
    "sports": "the sports",
    "contents": "what a copy contains",
}


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One thing that another one did."""

    at_epoch_s: int
    day: str
    text: Markup


def feed_lines(
    children: Iterable[Link], parents: Iterable[Link], parent_names: Mapping[int, str], invites: Iterable[Invite]
) -> list[FeedLine]:
    """The latest of what the others did to these links and invitations, which may have ended."""
    lines = [*_of_links(children, parents, parent_names), *_of_invites(invites)]
    # Of two in one second, the later one was noted last.
    return sorted(lines, key=lambda line: line.at_epoch_s)[::-1][:MOST_ENTRIES]


def _of_links(children: Iterable[Link], parents: Iterable[Link], parent_names: Mapping[int, str]) -> Iterator[FeedLine]:
    for link in children:
        yield from (_line(entry, foreign(link.names[0])) for entry in link.feed if entry.by is not Side.PARENT)
    for link in parents:
        name = foreign(parent_names.get(link.parent_id, ""))
        yield from (_line(entry, name) for entry in link.feed if entry.by is not Side.CHILD)


def _of_invites(invites: Iterable[Invite]) -> Iterator[FeedLine]:
    for invite in invites:
        if invite.closing and invite.closing.by is Side.CHILD:
            text = Markup("The invitation for {} was declined.").format(one_of(invite.names))
            yield FeedLine(invite.closing.at_epoch_s, day_text(invite.closing.at_epoch_s), text)


def _line(entry: FeedEntry, name: Markup) -> FeedLine:
    words, who = _WORDS[entry.action], name
    if entry.by is Side.OPERATOR:
        who = Markup("{}: the people who run this service").format(name)
        words = _LINKED_BY_OPERATOR if entry.action is LinkAction.LINKED else words
    parts = " and ".join(_PARTS[part] for part in entry.parts if part in _PARTS)
    return FeedLine(entry.at_epoch_s, day_text(entry.at_epoch_s), words.format(who=who, parts=parts))
