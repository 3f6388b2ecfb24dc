"""What is held by how the system is built: no lines of ours could be taken out for a test to notice."""

from __future__ import annotations

from local.proofs.guards.requirement import Design

DESIGNS = (
    Design(
        "2.10.1", "Services do not share a credential that never changes.", "docs/secrets.md says how to change each."
    ),
    Design("2.10.3", "Services' passwords are stored safely.", "As all secrets: 6.4.1."),
    Design("2.10.4", "No secret is in the code.", "All are settings (2.10.2); examples are no values."),
    Design("3.2.3", "Session tokens are kept safely in the browser.", "In one cookie: 3.4."),
    Design(
        "3.2.4",
        "Session tokens are made by approved algorithms.",
        "Python's `secrets`, signed with HMAC by itsdangerous.",
    ),
    Design("3.5.2", "Sessions are not static keys.", "Each has its nonce and its end: 3.2, 3.3."),
    Design("4.3.2", "No directory is listed.", "Flask serves files by name only, out of one folder."),
    Design(
        "5.1.2", "A form cannot set what is not offered.", "Each form's fields are read by name into a frozen value."
    ),
    Design(
        "5.3.2",
        "Any character of any language is kept.",
        "Text is Unicode and UTF-8 throughout; 5.2.2 takes what harms.",
    ),
    Design("5.3.5", "Where nothing else helps, output is escaped.", "It is nowhere needed: 5.3.3, 5.3.4, 5.3.10."),
    Design("6.2.2", "Cryptography is proven, not our own.", "AES-GCM of the package cryptography, and AWS KMS."),
    Design("6.2.3", "Its parameters are today's.", "AES-256-GCM, nonces of 96 bits."),
    Design("6.2.5", "Nothing broken is used.", "No MD5, no SHA-1, no ECB; a linter's rules look for them."),
    Design(
        "6.3.1", "What must not be guessed is random.", "Python's `secrets` and `os.urandom`: 3.2.2 and 6.2.6 show two."
    ),
    Design("6.3.2", "Random ids are of version 4.", "Those that there are name writes of DynamoDB; no secret is one."),
    Design(
        "7.1.4",
        "Log lines say when, where and what.",
        "Time, module, route and status, an athlete's number; on AWS the request's id.",
    ),
    Design("7.3.4", "Times are synchronised.", "Logs on AWS are in UTC; the hosts keep the time."),
    Design("7.4.3", "Something catches every failure.", "Flask's handler of all HTTP errors: 7.4.1."),
    Design("8.1.1", "No cache on the way holds a page.", "8.2.1; there is none in front either."),
    Design("8.1.2", "Temporary copies are protected.", "The web edge makes none."),
    Design("8.1.3", "Forms carry little.", "A token, and the fingerprint of what was shown."),
    Design("8.2.2", "The browser stores nothing personal.", "One cookie with the athlete's number; no other storage."),
    Design("8.2.3", "Signing out clears what the browser holds.", "The cookie; pages are not stored: 8.2.1."),
    Design(
        "9.1.1",
        "Everything travels by TLS.",
        "API Gateway knows nothing else, nor should the owner's proxy; 14.4.5 tells browsers.",
    ),
    Design(
        "9.2.3", "Connections to others are authenticated.", "Each with its credential; events by 13.1.4 and 13.2.6."
    ),
    Design(
        "13.1.1", "All parts read addresses alike.", "One parser, werkzeug's; a test sends odd ones through both edges."
    ),
    Design("13.2.3", "Services with cookies resist forged requests.", "4.2.2; the webhook has no cookie."),
    Design("14.1.1", "Builds are repeatable.", "`make package` can build twice and compare; `make deploy` brings it."),
    Design("14.1.3", "Servers are hardened.", "Lambda on AWS; waitress with limits on connections, sizes and times."),
    Design(
        "14.1.4",
        "All can be deployed again by a script.",
        "docs/deploy.md and docs/recovery.md, whose commands are tested.",
    ),
    Design("14.2.2", "Nothing unneeded is deployed.", "Each part is packed by what it imports."),
    Design("14.2.3", "Assets of others are checked.", "There are none."),
    Design("14.2.4", "Parts come from trusted places.", "From PyPI, by exact version."),
    Design("14.2.5", "There is a list of all parts.", "requirements.lock."),
    Design("14.2.6", "Parts are used narrowly.", "Each behind a module of ours; contracts between layers are linted."),
    Design(
        "14.3.2",
        "No debug mode in production.",
        "Flask's debugger runs in its own server only, which nothing here starts.",
    ),
    Design("14.4.1", "Every answer names type and character set.", "Flask's own: HTML and JSON in UTF-8."),
    Design("14.5.1", "Only the methods in use are answered.", "Routes name theirs: 13.2.1."),
)
