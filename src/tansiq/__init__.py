"""Tansiq: the system with which the security services of several countries work together as equals."""

__version__ = "0.1.0"
