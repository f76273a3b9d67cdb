"""Verdicts as cards and lines, by where their claims were made."""

from evabench.claims.judgement import Judgement
from evabench.reporting.cells import each_once
from evabench.reporting.document import VerdictCard, VerdictGroup, address
from evabench.reporting.report import Report
from evabench.reporting.tables.headlines import headline
from evabench.reporting.tables.pairs import PAIRS, make_pairs, pairs_table
from evabench.reporting.tables.verdicts import audit_table, decided_by, evidence_table, measured

PAIRS_ADDRESS, CLAIMS_ADDRESS = "pairs", "claims"


def verdict_groups(report: Report) -> tuple[VerdictGroup, ...]:
    """Return the verdicts by where their claims were made; a group without any is left out."""
    groups = (
        VerdictGroup(
            title="Claims of this suite",
            text="Stated before its runs, and judged by them alone.",
            cards=tuple(_card(report, judgement) for judgement in report.judgements if judgement.claim.local),
        ),
        VerdictGroup(title="Arm against arm", text=PAIRS, table=pairs_table(make_pairs(report)), address=PAIRS_ADDRESS),
        VerdictGroup(
            title="Claims made elsewhere",
            text=(
                "A verdict is about these machines, models and budgets. What was not run as the paper ran it is not "
                "tested as stated, whatever was measured here."
            ),
            cards=tuple(_card(report, judgement) for judgement in report.judgements if not judgement.claim.local),
        ),
    )
    return tuple(group for group in groups if group.cards or group.table)


def card_address(report: Report, judgement: Judgement) -> str:
    """Return the anchor of a claim's card; where two names come to one, there are numbers behind both."""
    plain = (_plain_address(one) for one in report.judgements)
    known = dict(zip(map(_name, report.judgements), each_once(plain), strict=True))
    return known.get(_name(judgement), _plain_address(judgement))


def _plain_address(judgement: Judgement) -> str:
    return address("claim" if judgement.claim.local else "paper", judgement.claim_id)


def _name(judgement: Judgement) -> tuple[bool, str]:
    return judgement.claim.local, judgement.claim_id


def audit_address(report: Report, judgement: Judgement) -> str:
    """Return the anchor of the audit of the bases of a claim."""
    return f"{card_address(report, judgement)}.audit"


def _card(report: Report, judgement: Judgement) -> VerdictCard:
    return VerdictCard(
        id=judgement.claim_id,
        address=card_address(report, judgement),
        verdict=judgement.here,
        headline=headline(judgement),
        text=judgement.claim.text,
        source=judgement.claim.source,
        first=" ".join(judgement.first),
        measured=measured(judgement),
        reason=judgement.reason,
        decided_by=decided_by(judgement),
        differences=judgement.differences,
        rule=judgement.claim.reason,
        evidence=evidence_table(judgement),
        audit=audit_table(judgement),
        audit_address=audit_address(report, judgement),
    )
