"""Drives a real Asterisk and sipp phones on loopback addresses for the end-to-end tests."""
