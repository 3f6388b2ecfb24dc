"""What of level 2 is not held, and what of the standard asks for nothing here."""

from __future__ import annotations

from local.proofs.guards.requirement import Gap, Inapplicable

GAPS = (
    Gap(
        ("2.2.3",),
        "Athletes are told of a sign-in from elsewhere.",
        "They are not. A mail goes out when an access has ended, a copy waits or an erasure is done.",
    ),
    Gap(
        ("3.3.2",),
        "Sessions end after 12 hours, or 30 minutes without use.",
        "They end after 30 days without use and 180 at most, as level 1 asks. Families look in once a month, and "
        "whatever cannot be undone passes Strava once more (3.7.1).",
    ),
    Gap(
        ("3.3.4",),
        "Athletes see a list of their sessions.",
        "A session is a signed cookie without a row, so there is nothing to list. All of them end by one button.",
    ),
    Gap(
        (
            "6.1.1",
            "6.1.2",
        ),
        "Personal data, and that about health, is encrypted where it is stored.",
        "On AWS all of it, under our own keys. On one machine tokens, mail addresses and hidden places are; activities "
        "with their heart rates lie in plain files of the owner's, whose disk should be encrypted.",
    ),
    Gap(
        ("6.4.2",),
        "Key material never enters the application.",
        "KMS keeps its key on AWS; the data key of one text passes through memory. On one machine the application "
        "reads its keys from a file.",
    ),
    Gap(
        ("7.3.3",),
        "Logs cannot be changed by whoever they tell of.",
        "On AWS the functions only add to CloudWatch. On one machine they are what the owner's service manager keeps.",
    ),
    Gap(
        (
            "8.1.4",
            "11.1.7",
            "11.1.8",
        ),
        "Unusual numbers of requests and misuse raise an alarm.",
        "They are refused and logged, not alarmed: alarms on AWS are for errors and for what waits, and on one machine "
        "nothing watches. A brake holds without anybody looking.",
    ),
    Gap(
        ("8.3.2",),
        "Athletes can take their data along by themselves.",
        "They ask whoever runs the service, for whom `make query` writes it out. What is stored came from Strava, "
        "which has an export of its own.",
    ),
    Gap(
        ("8.3.5",),
        "Looking at personal data leaves a trace.",
        "Requests are logged without the athlete. On AWS CloudTrail shows for whom KMS opened tokens.",
    ),
    Gap(
        ("8.3.6",),
        "Secrets are overwritten in memory.",
        "Python cannot do that reliably.",
    ),
    Gap(
        (
            "9.1.2",
            "9.1.3",
        ),
        "Only strong TLS is offered.",
        "API Gateway decides on AWS, the owner's proxy on one machine; neither is tested here.",
    ),
    Gap(
        ("9.2.4",),
        "Revoked certificates are noticed.",
        "Python's TLS asks nobody about revocation.",
    ),
    Gap(
        ("13.1.3",),
        "No address holds a key.",
        "The webhook's does, for Strava sends no other credential; it can be changed without losing an event. So do an "
        "invitation's and a certificate's, which are meant to be handed on. None is logged or sent as a referrer.",
    ),
    Gap(
        (
            "13.1.5",
            "13.2.5",
        ),
        "A body of another type than expected is refused.",
        "Strava does not document the type of its events; the body is parsed strictly whatever it is called.",
    ),
    Gap(
        ("14.2.1",),
        "Outdated parts are found by a tool.",
        "Every part is pinned; nothing looks for advisories by itself.",
    ),
    Gap(
        ("14.4.2",),
        "API answers are sent as an attachment.",
        "Strava reads them, not a browser; `nosniff` and the policy make them harmless in one.",
    ),
    Gap(
        ("14.4.5",),
        "Strict transport security covers subdomains.",
        "It does not: the host's subdomains may belong to somebody else.",
    ),
)

INAPPLICABLE = (
    Inapplicable(
        ("1",), "Asks for documents of design, not for behaviour: docs/architecture.md and docs/adr/ are ours."
    ),
    Inapplicable(
        ("2.1", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.2.2"),
        "There are no passwords, second factors or recoveries here: Strava identifies athletes, and has all of it.",
    ),
    Inapplicable(("4.3.1",), "There is no administrative page: the operator works on the command line."),
    Inapplicable(("5.2.1", "5.2.7", "5.2.8"), "Nobody enters HTML, SVG or Markdown."),
    Inapplicable(("5.2.4", "5.3.8"), "Nothing evaluates text as code, and the web edge runs no command."),
    Inapplicable(("5.2.6", "12.6"), "No address that a request names is ever fetched."),
    Inapplicable(("5.3.6", "5.5.4"), "The pages have no scripts."),
    Inapplicable(("5.3.7",), "There is no LDAP."),
    Inapplicable(("5.3.9",), "No request names a file."),
    Inapplicable(("5.4.1", "5.4.2", "14.1.2"), "Python manages memory, and format strings are constants."),
    Inapplicable(("5.5.2",), "The web edge reads no XML."),
    Inapplicable(("6.1.3",), "There is no financial data."),
    Inapplicable(("10",), "Asks for a review of the source and its parts for malice; a test cannot show it."),
    Inapplicable(
        ("12.1.2", "12.1.3", "12.2", "12.3", "12.4", "12.5"),
        "Athletes upload no files, and the only files served are our own stylesheet, icons and Strava's marks.",
    ),
    Inapplicable(("13.3", "13.4"), "There is neither SOAP nor GraphQL."),
    Inapplicable(("14.5.2", "14.5.3"), "No answer allows another origin anything, and no decision looks at `Origin`."),
)
