"""What a plan would change, by module and by kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.aws.terraform.tool import Terraform

_NOTHING = (["no-op"], ["read"])


@dataclass(frozen=True, slots=True)
class Changes:
    """What one plan would do: for each resource that it touches its actions, for example `("delete", "create")`."""

    actions: Mapping[str, tuple[str, ...]]

    @property
    def modules(self) -> frozenset[str]:
        """The modules of the system whose resources it touches."""
        return frozenset(address.split(".")[3] for address in self.actions)

    @property
    def destroyed(self) -> frozenset[str]:
        """The resources that it would destroy, whether it creates them again or not."""
        return frozenset(address for address, actions in self.actions.items() if "delete" in actions)

    @property
    def summary(self) -> str:
        """How many resources it would do what to, and in which modules."""
        if not self.actions:
            return "no changes"
        counts = Counter(" and ".join(actions) for actions in self.actions.values())
        said = ", ".join(f"{count} to {action}" for action, count in sorted(counts.items()))
        return f"{said}, in {', '.join(sorted(self.modules))}"


def planned(terraform: Terraform, folder: str, *options: str) -> Changes:
    """What `terraform plan` would change there. Errors: `SettingsError` when it fails. Effects: a plan file there."""
    plan = Path(terraform.folder / folder / "next.tfplan")
    terraform.run("plan", "-input=false", "-no-color", f"-out={plan}", *options, folder=folder)
    document = json.loads(terraform.run("show", "-json", str(plan), folder=folder))
    return Changes(
        {
            change["address"]: tuple(change["change"]["actions"])
            for change in document.get("resource_changes", ())
            if change["change"]["actions"] not in _NOTHING
        }
    )
