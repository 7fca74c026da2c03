"""Tests of taught sounds."""
