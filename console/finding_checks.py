"""What a look at the server has shown, and what each of it means, as checks of the doctor."""

from console.check import Check, good, warn
from sync.findings import Findings

PROBE = "`sugarloop doctor --probe` looks at the server, on leads that it makes and removes"
_SKEW_TOLERATED_S = 60.0
_AS_PROFILED = "it is treated as other servers of its version are"


def finding_checks(findings: Findings | None) -> list[Check]:
    """Put findings into words; each that is open says why."""
    if findings is None:
        return [warn("server", "nothing is known of its habits yet", PROBE)]
    checks = [
        good("server", f"looked at on {findings.found_at}"),
        *_writes(findings),
        *_texts(findings),
        *_reads(findings),
        *(
            warn(name.replace("_", " "), f"could not be found out: {why}", _AS_PROFILED)
            for name, why in findings.unknown.items()
        ),
    ]
    if findings.left_behind:
        ids = ", ".join(findings.left_behind)
        checks.append(warn("scratch leads", f"not removed: {ids}", "delete them in SugarCRM"))
    return checks


def _writes(found: Findings) -> list[Check]:
    checks = []
    if found.batch_writes is not None:
        many = "many records go out in one call" if found.batch_writes else "one record a call"
        checks.append(good("batch writes", many))
    if found.takes_ids:
        checks.append(good("ids", "records are created under the ids that they are sent with"))
    elif found.takes_ids is False:
        do = "nothing: people without an address are left out, as they could not be found again"
        checks.append(warn("ids", "records are given ids of the server's own", do))
    if found.opt_out_updates:
        checks.append(good("opt-out", "an opt-out can be written to who is there already"))
    elif found.opt_out_updates is False:
        do = "see whether the user may edit email addresses; until then opt-outs do not go out"
        checks.append(warn("opt-out", "an opt-out that is written to a person is lost", do))
    return checks


def _texts(found: Findings) -> list[Check]:
    checks = []
    if found.text_kept:
        checks.append(good("text", "quotes, &, <, > and accents come back as they were sent"))
    elif found.text_kept is False:
        do = "look at the character set of the database, and at hooks that rewrite text"
        checks.append(warn("text", "quotes, &, <, > or accents come back changed", do))
    if found.entities_kept is not None:
        kept = "comes back as it was sent" if found.entities_kept else "comes back as &, as always"
        checks.append(good("entities", f'text that itself holds "&amp;" {kept}'))
    if found.four_bytes == "kept":
        checks.append(good("emoji", "they come back"))
    elif found.four_bytes:
        lost = f"they are {found.four_bytes} there, so they are left out of what is sent"
        do = "make tables and connection of its database utf8mb4, then look again"
        checks.append(warn("emoji", lost, do))
    if found.too_long:
        said = {
            "cut": "text longer than its field is cut; a push says which field was",
            "kept": "text longer than its field is kept whole",
            "refused": "text longer than its field is not kept at all",
        }[found.too_long]
        checks.append(good("lengths", said))
    return checks


def _reads(found: Findings) -> list[Check]:
    checks = []
    if found.finds_by_email:
        checks.append(good("look-up", "people are found by their address"))
    elif found.finds_by_email is False:
        do = "without it the same person may be created twice; see the rights of the user"
        checks.append(warn("look-up", "a person is not found by the address", do))
    if found.ordered_apis:
        checks.append(good("order", f"{', '.join(found.ordered_apis)} sort"))
    elif found.ordered_apis is not None:
        do = "syncs stop rather than to lose rows; see for modules that change lists"
        checks.append(warn("order", "no API version sorts", do))
    if found.keyset is False:
        do = "nothing: pages are then counted off, which costs more calls while records change"
        checks.append(warn("paging", "rows behind an id cannot be asked for", do))
    if found.page_rows is not None:
        checks.append(good("pages", f"pages of {found.page_rows} rows are given"))
    if found.clock_ahead_s is not None:
        checks.append(clock_check("clock", found.clock_ahead_s))
    return checks


def clock_check(name: str, ahead_s: float) -> Check:
    """Whether SugarCRM's clock, `ahead_s` of ours, is near enough. Cursors live on its own clock,
    so syncs stay right even where it is not.
    """
    apart = f"{ahead_s:+.0f} s apart from this machine"
    if abs(ahead_s) <= _SKEW_TOLERATED_S:
        return good(name, apart)
    return warn(name, apart, "synchronise the clocks: histories and notes carry wrong times")
