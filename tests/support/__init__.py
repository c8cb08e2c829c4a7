"""Helpers of the black-box tests: a broker of one's own (broker), the second client (client)."""
