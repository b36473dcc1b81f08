"""The audit: what is wrong with a data set, or with a plan to train on it, ranked, each with what to do."""

from glassnet.audit.findings import SEVERITIES, Audit, Example, Finding
from glassnet.audit.inspection import audit, glance
from glassnet.audit.plan import check_plan

__all__ = ["SEVERITIES", "Audit", "Example", "Finding", "audit", "check_plan", "glance"]
