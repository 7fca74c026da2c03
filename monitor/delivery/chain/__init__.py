"""The silent test of the chain: does what goes out arrive?"""
