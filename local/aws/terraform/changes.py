"""The changes of a plan, by module and by action."""

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
    """The changes of one plan: for each changed resource its actions, for example `("delete", "create")`."""

    actions: Mapping[str, tuple[str, ...]]

    @property
    def modules(self) -> frozenset[str]:
        """The modules of the system with changed resources."""
        return frozenset(address.split(".")[3] for address in self.actions)

    @property
    def destroyed(self) -> frozenset[str]:
        """The resources that the plan destroys, whether or not it creates them again."""
        return frozenset(address for address, actions in self.actions.items() if "delete" in actions)

    @property
    def summary(self) -> str:
        """The number of resources for each action, and their modules."""
        if not self.actions:
            return "no changes"
        counts = Counter(" and ".join(actions) for actions in self.actions.values())
        said = ", ".join(f"{count} to {action}" for action, count in sorted(counts.items()))
        return f"{said}, in {', '.join(sorted(self.modules))}"


def planned(terraform: Terraform, folder: str, *options: str) -> Changes:
    """The changes of `terraform plan` in a folder. Errors: `SettingsError`. Effects: writes a plan file there."""
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
