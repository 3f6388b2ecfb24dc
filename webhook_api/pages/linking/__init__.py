"""The pages of links: invitations, proposals, changes and ends."""
