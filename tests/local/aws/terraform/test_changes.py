"""What a plan would change, told in a line."""

from __future__ import annotations

from local.aws.terraform.changes import Changes


def test_changes_are_told_by_what_is_done_and_where() -> None:
    changes = Changes(
        {
            "module.system.module.mwaa.aws_s3_bucket.this": ("delete", "create"),
            "module.system.module.network.aws_eip.nat[1]": ("create",),
        }
    )

    assert changes.summary == "1 to create, 1 to delete and create, in mwaa, network"
    assert changes.destroyed == {"module.system.module.mwaa.aws_s3_bucket.this"}
    assert Changes({}).summary == "no changes"
